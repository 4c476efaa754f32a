//! Vector handlers.
