//! Where the store is and how it is spoken to.

use std::fmt;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Region, RequestChecksumCalculation, ResponseChecksumValidation,
};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::plan::PartPlan;
use super::store::Store;
use crate::error::Result;

/// A text that no log shows.
#[derive(Clone, Default)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// An S3 store and the two buckets in it.
#[derive(Debug, Clone)]
pub struct S3Config {
    /// `https://...` or, for a store on the same machine or network, `http://...`; `None` is Amazon's.
    pub endpoint: Option<String>,
    /// The region, e.g. `us-east-1`; most other stores take any.
    pub region: String,
    /// The access key's id.
    pub access_key: String,
    /// The access key's secret.
    pub secret_key: Secret,
    /// `http://host/bucket/key` instead of `http://bucket.host/key`.
    pub path_style: bool,
    /// The bucket for originals, side files and receipts.
    pub originals_bucket: String,
    /// The bucket for tails, derivatives and the ledger. Never one with a default retention.
    pub scaffold_bucket: String,
    /// Sizes of the parts.
    pub plan: PartPlan,
}

impl S3Config {
    pub(super) fn connect(&self) -> Result<Store> {
        let credentials = Credentials::new(
            &self.access_key,
            &self.secret_key.0,
            None,
            None,
            "docket configuration",
        );
        let http = Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build_https();
        let mut config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.region.clone()))
            .credentials_provider(credentials)
            .force_path_style(self.path_style)
            .http_client(http)
            // Several stores refuse the default trailers; the vault sends its own checksum as a header.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .retry_config(
                RetryConfig::standard()
                    .with_max_attempts(5)
                    .with_initial_backoff(Duration::from_millis(200)),
            )
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(Duration::from_secs(5))
                    // Completing a large upload keeps some stores busy for minutes.
                    .read_timeout(Duration::from_secs(300))
                    .build(),
            );
        if let Some(endpoint) = &self.endpoint {
            config = config.endpoint_url(endpoint);
        }
        Ok(Store {
            client: Client::from_conf(config.build()),
            originals: self.originals_bucket.clone(),
            scaffold: self.scaffold_bucket.clone(),
        })
    }
}

/// Stores take 2 KB of metadata, names included; the digest needs a little of it.
const METADATA_LIMIT_BYTES: usize = 1_800;

/// What can't stand in a header as it is. `%` too, so that decoding gives back exactly what was given.
const ENCODED: &AsciiSet = &CONTROLS.add(b'%');

/// The metadata that fits, encoded for headers.
pub(super) fn kept_metadata(metadata: &[(String, String)]) -> Vec<(String, String)> {
    let mut left_bytes = METADATA_LIMIT_BYTES;
    let mut kept = Vec::new();
    for (name, value) in metadata {
        let good = !name.is_empty()
            && name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let value = utf8_percent_encode(value.trim(), ENCODED).to_string();
        let size_bytes = name.len() + value.len();
        if good && size_bytes <= left_bytes {
            left_bytes -= size_bytes;
            kept.push((name.clone(), value));
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_ascii_and_bounded() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let given = [
            pair("recorder", "执 7%"),
            pair("Bad Name", "x"),
            pair("long", &"长".repeat(1_000)),
            pair("line", "a\r\nx-evil: 1"),
        ];
        let expected = [
            pair("recorder", "%E6%89%A7 7%25"),
            pair("line", "a%0D%0Ax-evil: 1"),
        ];
        assert_eq!(kept_metadata(&given), expected);
    }

    #[test]
    fn secrets_are_not_shown() {
        assert_eq!(format!("{:?}", Secret("top".to_owned())), "***");
    }
}
