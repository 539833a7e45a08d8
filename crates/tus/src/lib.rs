//! docket-tus
