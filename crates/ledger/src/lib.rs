//! docket-ledger
