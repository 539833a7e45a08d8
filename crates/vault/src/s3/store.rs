//! The few S3 operations that the vault is made of, and what their errors mean.

use std::ops::Range;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;

use super::body::Chunks;
use crate::contract::Bytestream;
use crate::error::{Result, VaultError};

/// Small objects (side files, receipts, ledger tiles) and pieces are never larger.
pub(super) const SMALL_OBJECT_LIMIT_BYTES: u64 = 32 * 1024 * 1024;

/// Tries in a row that bring nothing before a reader gives up.
const READ_ATTEMPTS: u32 = 4;

/// Two buckets: what is evidence, and what may go again.
#[derive(Debug, Clone)]
pub(super) struct Store {
    pub(super) client: Client,
    pub(super) originals: String,
    pub(super) scaffold: String,
}

/// Which bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bucket {
    Originals,
    Scaffold,
}

/// When a write may happen.
#[derive(Debug, Clone)]
pub(super) enum Condition {
    Always,
    IfAbsent,
    IfUnchanged(String),
}

/// An object's name and size, as listed.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) key: String,
    pub(super) size_bytes: u64,
}

/// What went wrong, in the vault's terms.
pub(super) fn failed<E>(what: &str, error: SdkError<E>) -> VaultError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let status = error.raw_response().map(|raw| raw.status().as_u16());
    let code = error.code().unwrap_or_default().to_owned();
    match (status, code.as_str()) {
        (_, "NoSuchKey" | "NoSuchUpload" | "NoSuchBucket" | "NotFound") | (Some(404), _) => {
            VaultError::NotFound(format!("{what} ({code})"))
        }
        (_, "PreconditionFailed" | "ConditionalRequestConflict") | (Some(412 | 409), _) => {
            VaultError::Conflict(format!("{what} ({code})"))
        }
        (_, "InvalidRange") | (Some(416), _) => {
            VaultError::corrupt(format!("{what} is shorter than was asked for"))
        }
        (_, "QuotaExceeded" | "InsufficientStorage" | "StorageFull" | "XMinioStorageFull")
        | (Some(507), _) => VaultError::Full(format!("{what} ({code})")),
        _ => VaultError::Unavailable(format!("{what}: {}", DisplayErrorContext(&error))),
    }
}

fn absent<T>(found: Result<T>) -> Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(VaultError::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Store {
    pub(super) fn bucket(&self, bucket: Bucket) -> &str {
        match bucket {
            Bucket::Originals => &self.originals,
            Bucket::Scaffold => &self.scaffold,
        }
    }

    /// The object's size.
    pub(super) async fn head(&self, bucket: Bucket, key: &str) -> Result<Option<u64>> {
        let request = self
            .client
            .head_object()
            .bucket(self.bucket(bucket))
            .key(key);
        let found = absent(request.send().await.map_err(|error| failed(key, error)))?;
        Ok(found.map(|head| head.content_length().unwrap_or(0).try_into().unwrap_or(0)))
    }

    /// A whole small object and its ETag.
    pub(super) async fn get_small(
        &self,
        bucket: Bucket,
        key: &str,
    ) -> Result<Option<(Bytes, String)>> {
        let request = self
            .client
            .get_object()
            .bucket(self.bucket(bucket))
            .key(key);
        let sent = request.send().await.map_err(|error| failed(key, error));
        let Some(object) = absent(sent)? else {
            return Ok(None);
        };
        let limit = i64::try_from(SMALL_OBJECT_LIMIT_BYTES).unwrap_or(i64::MAX);
        let expected = object.content_length().unwrap_or(0);
        if expected > limit {
            return Err(VaultError::corrupt(format!("{key} is no small object")));
        }
        let etag = object.e_tag().unwrap_or_default().to_owned();
        let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or(0));
        let mut body = object.body;
        while let Some(chunk) = next_chunk(key, &mut body).await? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() as u64 > SMALL_OBJECT_LIMIT_BYTES {
                return Err(VaultError::corrupt(format!("{key} is no small object")));
            }
        }
        Ok(Some((bytes.into(), etag)))
    }

    /// Writes one object; `Conflict` when the condition does not hold.
    pub(super) async fn put(
        &self,
        bucket: Bucket,
        key: &str,
        content: &Chunks,
        condition: Condition,
        metadata: &[(String, String)],
    ) -> Result<()> {
        let mut request = self
            .client
            .put_object()
            .bucket(self.bucket(bucket))
            .key(key)
            .content_length(i64::try_from(content.length_bytes()).unwrap_or(i64::MAX))
            .checksum_crc64_nvme(content.crc64_nvme())
            .body(content.body());
        match condition {
            Condition::Always => {}
            Condition::IfAbsent => request = request.if_none_match("*"),
            Condition::IfUnchanged(etag) => request = request.if_match(etag),
        }
        for (name, value) in metadata {
            request = request.metadata(name, value);
        }
        request.send().await.map_err(|error| failed(key, error))?;
        Ok(())
    }

    /// Nothing is left to do when it is not there.
    pub(super) async fn delete(&self, bucket: Bucket, key: &str) -> Result<()> {
        let request = self
            .client
            .delete_object()
            .bucket(self.bucket(bucket))
            .key(key);
        absent(request.send().await.map_err(|error| failed(key, error)))?;
        Ok(())
    }

    /// One page of names that begin with `prefix` and come after `after`, in byte order; empty means
    /// the end.
    pub(super) async fn list(
        &self,
        bucket: Bucket,
        prefix: &str,
        after: &str,
    ) -> Result<Vec<Listed>> {
        let mut request = self
            .client
            .list_objects_v2()
            .bucket(self.bucket(bucket))
            .prefix(prefix);
        if !after.is_empty() {
            request = request.start_after(after);
        }
        let page = request
            .send()
            .await
            .map_err(|error| failed(prefix, error))?;
        let listed = page.contents().iter().filter_map(|object| {
            Some(Listed {
                key: object.key()?.to_owned(),
                size_bytes: object.size().unwrap_or(0).try_into().unwrap_or(0),
            })
        });
        Ok(listed.collect())
    }

    /// Deletes everything whose name begins with `prefix`.
    pub(super) async fn delete_all(&self, bucket: Bucket, prefix: &str) -> Result<()> {
        let mut after = String::new();
        loop {
            let page = self.list(bucket, prefix, &after).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after.clone_from(&last.key);
            for object in page {
                self.delete(bucket, &object.key).await?;
            }
        }
    }

    /// Streams a range; a connection that breaks is taken up where it broke.
    pub(super) fn stream(&self, bucket: Bucket, key: &str, range: Range<u64>) -> Bytestream {
        let reading = Reading {
            store: self.clone(),
            bucket,
            key: key.to_owned(),
            rest: range,
            body: None,
            attempts: 0,
        };
        Box::pin(futures_util::stream::unfold(
            reading,
            |mut reading| async move {
                let item = reading.next().await.transpose()?;
                if item.is_err() {
                    // The error is the last item.
                    reading.rest.start = reading.rest.end;
                }
                Some((item, reading))
            },
        ))
    }

    async fn get_range(&self, bucket: Bucket, key: &str, range: &Range<u64>) -> Result<ByteStream> {
        let request = self
            .client
            .get_object()
            .bucket(self.bucket(bucket))
            .key(key)
            .range(format!("bytes={}-{}", range.start, range.end - 1));
        let object = request.send().await.map_err(|error| failed(key, error))?;
        let expected = i64::try_from(range.end - range.start).ok();
        // A store that ignores Range would send other bytes than were asked for.
        if object.content_length() != expected {
            return Err(VaultError::corrupt(format!(
                "{key}: {range:?} was asked for, {:?} bytes come",
                object.content_length()
            )));
        }
        Ok(object.body)
    }
}

async fn next_chunk(key: &str, body: &mut ByteStream) -> Result<Option<Bytes>> {
    body.try_next()
        .await
        .map_err(|error| VaultError::Unavailable(format!("{key}: {}", DisplayErrorContext(error))))
}

struct Reading {
    store: Store,
    bucket: Bucket,
    key: String,
    rest: Range<u64>,
    body: Option<ByteStream>,
    attempts: u32,
}

impl Reading {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        while self.rest.start < self.rest.end {
            match self.try_next().await {
                Ok(Some(bytes)) => {
                    self.attempts = 0;
                    self.rest.start += bytes.len() as u64;
                    return Ok(Some(bytes));
                }
                Err(VaultError::Unavailable(_)) if self.attempts < READ_ATTEMPTS => {}
                Err(error) => return Err(error),
                Ok(None) if self.attempts < READ_ATTEMPTS => {}
                Ok(None) => {
                    return Err(VaultError::corrupt(format!("{} ends too early", self.key)));
                }
            }
            self.body = None;
            self.attempts += 1;
        }
        Ok(None)
    }

    async fn try_next(&mut self) -> Result<Option<Bytes>> {
        let body = match &mut self.body {
            Some(body) => body,
            none => none.insert(
                self.store
                    .get_range(self.bucket, &self.key, &self.rest)
                    .await?,
            ),
        };
        match next_chunk(&self.key, body).await? {
            Some(bytes) if bytes.len() as u64 > self.rest.end - self.rest.start => Err(
                VaultError::corrupt(format!("{} sends more than was asked for", self.key)),
            ),
            other => Ok(other),
        }
    }
}
