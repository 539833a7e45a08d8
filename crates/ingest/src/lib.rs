//! docket-ingest
