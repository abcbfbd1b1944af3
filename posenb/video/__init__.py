"""Frame-exact reading and browser-ready writing of video: the one room that knows PyAV."""
