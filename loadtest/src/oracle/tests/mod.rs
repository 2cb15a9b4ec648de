//! Placeholder until the checks are shown to fail.
