//! What an upload's row keeps besides its offset: the client's header for HEAD, and what the side file
//! will need. JSON in the row's `metadata`.

use docket_base::ids::{TokenId, UnitId};
use docket_ledger::Salt;
use serde::{Deserialize, Serialize};

use crate::{IngestError, Result};

/// See the module.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StoredFacts {
    /// `Upload-Metadata` as the client gave it.
    pub header: String,
    /// Salt of the side file: drawn once, so that a repeated seal writes the same bytes.
    pub salt: Salt,
    /// The token that was shown at creation: whoever shows it goes on with the upload, also when a
    /// station was entered for it since.
    pub sender_token: Option<TokenId>,
    /// Whether a station sends.
    pub by_station: bool,
    /// The note given with the upload.
    pub note: Option<String>,
    /// The case number given.
    pub case_number: Option<String>,
    /// The case's unit given.
    pub case_unit: Option<UnitId>,
}

impl StoredFacts {
    /// As the row keeps it.
    pub fn to_text(&self) -> String {
        // A struct of texts always has JSON.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// From a row.
    ///
    /// # Errors
    /// When the row holds something else.
    pub fn parse(text: &str) -> Result<Self> {
        serde_json::from_str(text)
            .map_err(|error| IngestError::WrongState(format!("upload's stored facts: {error}")))
    }
}
