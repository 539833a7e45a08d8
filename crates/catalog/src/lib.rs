//! docket-catalog
