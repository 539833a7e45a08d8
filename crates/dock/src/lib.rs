//! docket-dock
