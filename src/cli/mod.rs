//! The headless front end: arguments in, the event stream out.
