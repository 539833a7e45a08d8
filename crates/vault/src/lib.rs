//! docket-vault
