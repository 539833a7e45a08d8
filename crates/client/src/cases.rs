//! `/v1/cases`.

use docket_base::ids::RecordingId;
use reqwest::Method;
use serde_json::json;
use url::Url;

use crate::connect::Client;
use crate::error::{Error, Meaning};
use crate::types::Case;

impl Client {
    /// Creates a case or finds it unchanged. `unit` is an id; default is the caller's own.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn put_case(
        &self,
        number: &str,
        unit: Option<&str>,
        title: Option<&str>,
    ) -> Result<(), Error> {
        let mut url = self.case_url(number);
        if let Some(unit) = unit {
            url.query_pairs_mut().append_pair("unit", unit);
        }
        let body = match title {
            Some(title) => json!({ "title": title }),
            None => json!({}),
        };
        self.send_json(Method::PUT, url, &body).await
    }

    /// A case with its evidence; `None` where it does not exist for the caller.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn case(&self, number: &str) -> Result<Option<Case>, Error> {
        match self.get_json(self.case_url(number)).await {
            Ok(case) => Ok(Some(case)),
            Err(error) if error.meaning() == Meaning::Gone => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Ties a recording to a case; again is fine.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn link(
        &self,
        number: &str,
        recording: RecordingId,
        note: Option<&str>,
    ) -> Result<(), Error> {
        let recording = recording.to_string();
        let path = ["v1", "cases", number, "evidence", &recording];
        let body = match note {
            Some(note) => json!({ "note": note }),
            None => json!({}),
        };
        self.send_json(Method::PUT, self.server.join(path), &body)
            .await
    }

    fn case_url(&self, number: &str) -> Url {
        self.server.join(["v1", "cases", number])
    }
}
