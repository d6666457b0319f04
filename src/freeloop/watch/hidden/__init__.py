"""What holds nobody's loop and still makes requests wait; the watchdog looks now and then."""
