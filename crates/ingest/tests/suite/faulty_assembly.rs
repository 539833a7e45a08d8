//! The faulty vault's uploads under way.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use bytes::Bytes;
use docket_vault::{Assembly, Durable, Result};
use futures_util::future::BoxFuture;

use super::faulty::{Control, Fault, broken, call};

pub struct FaultyAssembly {
    inner: Arc<tokio::sync::Mutex<Box<dyn Assembly>>>,
    control: Arc<Control>,
    hoard: Vec<Bytes>,
    flushed_bytes: u64,
}

impl FaultyAssembly {
    pub fn over(inner: Box<dyn Assembly>, control: Arc<Control>) -> Self {
        Self {
            flushed_bytes: inner.appended_bytes(),
            inner: Arc::new(tokio::sync::Mutex::new(inner)),
            control,
            hoard: Vec::new(),
        }
    }
}

#[async_trait]
impl Assembly for FaultyAssembly {
    fn appended_bytes(&self) -> u64 {
        let hoarded: usize = self.hoard.iter().map(Bytes::len).sum();
        self.inner
            .try_lock()
            .expect("not flushing")
            .appended_bytes()
            + hoarded as u64
    }

    async fn append(&mut self, bytes: Bytes) -> Result<()> {
        let length = bytes.len() as u64;
        let control = Arc::clone(&self.control);
        control.appended_bytes.fetch_add(length, Ordering::SeqCst);
        if control.hoards.load(Ordering::SeqCst) {
            control.hoarded_bytes.fetch_add(length, Ordering::SeqCst);
            self.hoard.push(bytes);
            return Ok(());
        }
        call!(control, "append", async {
            self.inner.lock().await.append(bytes).await
        })
    }

    fn flush(&mut self) -> BoxFuture<'static, Result<Durable>> {
        let fault = self.control.turn("flush");
        let (inner, control) = (Arc::clone(&self.inner), Arc::clone(&self.control));
        let hoard = std::mem::take(&mut self.hoard);
        if hoard.is_empty() {
            // In the order of the calls, as the contract has it.
            let flushing = self.inner.try_lock().expect("not hoarding").flush();
            let before = self.flushed_bytes;
            self.flushed_bytes = self.appended_bytes();
            let new = self.flushed_bytes - before;
            return Box::pin(async move { control.answer(fault, flushing, new).await });
        }
        Box::pin(async move {
            let mut inner = inner.lock().await;
            let mut new = 0;
            for bytes in hoard {
                new += bytes.len() as u64;
                inner.append(bytes).await?;
            }
            control.hoarded_bytes.fetch_sub(new, Ordering::SeqCst);
            let flushing = inner.flush();
            control.answer(fault, flushing, new).await
        })
    }
}

impl Control {
    async fn answer(
        &self,
        fault: Option<Fault>,
        flushing: BoxFuture<'static, Result<Durable>>,
        new_bytes: u64,
    ) -> Result<Durable> {
        if fault == Some(Fault::Fails) {
            return Err(broken("flush"));
        }
        let durable = flushing.await?;
        self.released().await;
        self.durable_bytes.fetch_add(new_bytes, Ordering::SeqCst);
        match fault {
            None => Ok(durable),
            Some(_) => Err(broken("flush")),
        }
    }
}
