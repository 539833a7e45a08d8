//! docket-media
