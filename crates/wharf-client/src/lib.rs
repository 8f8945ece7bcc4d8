//! wharf-client
