//! docket-client
