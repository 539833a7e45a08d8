//! The S3 vault's view of a test's own SeaweedFS.

use std::path::Path;
use std::sync::Arc;

use docket_base::OsRandom;
use docket_vault::{PartPlan, S3Config, S3Vault, Secret, Vault};

use crate::weed::{ACCESS_KEY, SECRET_KEY, Weed};

pub struct Seaweed(Weed);

impl Seaweed {
    /// `None` where there is no binary.
    pub async fn start() -> Option<Self> {
        let checkout = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        Weed::start(checkout).await.map(Self)
    }

    pub fn config(&self) -> S3Config {
        S3Config {
            endpoint: Some(self.0.endpoint()),
            region: "us-east-1".to_owned(),
            access_key: ACCESS_KEY.to_owned(),
            secret_key: Secret(SECRET_KEY.to_owned()),
            path_style: true,
            originals_bucket: "originals".to_owned(),
            scaffold_bucket: "scaffold".to_owned(),
            plan: PartPlan::default(),
        }
    }

    /// A client beside the vault's, for what an outsider sees.
    pub fn client(&self) -> aws_sdk_s3::Client {
        let credentials =
            aws_credential_types::Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "test");
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(aws_sdk_s3::config::BehaviorVersion::latest())
            .region(aws_sdk_s3::config::Region::new("us-east-1"))
            .endpoint_url(self.0.endpoint())
            .credentials_provider(credentials)
            .force_path_style(true)
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build();
        aws_sdk_s3::Client::from_conf(config)
    }

    pub async fn create_buckets(&self) {
        for bucket in ["originals", "scaffold"] {
            let created = self.client().create_bucket().bucket(bucket).send().await;
            created.expect("bucket");
        }
    }
}

pub async fn open(config: S3Config) -> Arc<dyn Vault> {
    Arc::new(
        S3Vault::open(config, Arc::new(OsRandom))
            .await
            .expect("open"),
    )
}
