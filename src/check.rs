//! `docketd check`: prints what [`docket_ingest`]'s fsck finds.

use std::sync::Arc;

use crate::commands::{CheckOptions, Output};
use crate::parts::Parts;

/// Runs it; 0 clean, 1 findings, 2 nothing to check.
pub async fn run(
    _parts: &Arc<Parts>,
    _options: &CheckOptions,
    _out: &Output,
) -> anyhow::Result<u8> {
    anyhow::bail!("not available in this build")
}
