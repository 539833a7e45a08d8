//! A vault that fails when it is told to, holds back what it is told to, and counts.

use std::ops::Range;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use docket_base::Micros;
use docket_base::ids::RecordingId;
use docket_vault::{
    Assembly, AssemblyState, BeginRequest, BesideName, Bytestream, DerivativeName, Leftover,
    PutOnce, Result, SealRequest, Sealed, ShareRequest, StoredOriginal, Vault, VaultError,
    VaultKey,
};
use tokio::sync::watch;

use super::faulty_assembly::FaultyAssembly;

/// What happens to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is done.
    Fails,
    /// It is done, and reported as failed.
    FailsButPersists,
}

#[derive(Debug, Default)]
struct Plan {
    calls: Vec<&'static str>,
    /// Of calls of this name (`""`: of any), the one of this number from 1.
    fault: Option<(&'static str, usize, Fault)>,
    counted: usize,
}

/// What the test says, shared with the assemblies.
#[derive(Debug)]
pub struct Control {
    plan: Mutex<Plan>,
    /// While true, flushes that are done don't answer.
    hold: watch::Sender<bool>,
    pub appended_bytes: AtomicU64,
    pub durable_bytes: AtomicU64,
    /// Assemblies keep what is appended to themselves until a flush.
    pub hoards: AtomicBool,
    pub hoarded_bytes: AtomicU64,
}

#[derive(Debug)]
pub struct FaultyVault {
    inner: Arc<dyn Vault>,
    pub control: Arc<Control>,
}

impl Control {
    /// The `nth` call of this name from now on (1 is the next) goes wrong; `""` means any call.
    pub fn fail(&self, call: &'static str, nth: usize, fault: Fault) {
        let mut plan = self.plan.lock().expect("plan");
        plan.fault = Some((call, nth, fault));
        plan.counted = 0;
    }

    /// Whether the fault has happened.
    pub fn has_failed(&self) -> bool {
        self.plan.lock().expect("plan").fault.is_none()
    }

    /// How many calls of this name there were.
    pub fn calls(&self, name: &str) -> usize {
        let plan = self.plan.lock().expect("plan");
        plan.calls
            .iter()
            .filter(|call| name.is_empty() || **call == name)
            .count()
    }

    pub fn hold_flushes(&self, hold: bool) {
        self.hold.send_replace(hold);
    }

    /// Once flushes are not held back.
    pub async fn released(&self) {
        let mut hold = self.hold.subscribe();
        hold.wait_for(|hold| !hold).await.expect("control lives");
    }

    pub fn turn(&self, call: &'static str) -> Option<Fault> {
        let mut plan = self.plan.lock().expect("plan");
        plan.calls.push(call);
        let (name, nth, fault) = plan.fault?;
        if !name.is_empty() && name != call {
            return None;
        }
        plan.counted += 1;
        if plan.counted != nth {
            return None;
        }
        plan.fault = None;
        Some(fault)
    }
}

pub fn broken(call: &str) -> VaultError {
    std::io::Error::other(format!("{call} fails on purpose")).into()
}

/// Runs a call unless it is to fail, and reports it as failed if that is its turn.
macro_rules! call {
    ($control:expr, $name:literal, $work:expr) => {
        match $control.turn($name) {
            None => $work.await,
            Some(Fault::Fails) => Err(broken($name)),
            Some(Fault::FailsButPersists) => {
                let _done = $work.await?;
                Err(broken($name))
            }
        }
    };
}

pub(super) use call;

impl FaultyVault {
    pub fn over(inner: Arc<dyn Vault>) -> Arc<Self> {
        let control = Control {
            plan: Mutex::default(),
            hold: watch::Sender::new(false),
            appended_bytes: AtomicU64::new(0),
            durable_bytes: AtomicU64::new(0),
            hoards: AtomicBool::new(false),
            hoarded_bytes: AtomicU64::new(0),
        };
        Arc::new(Self {
            inner,
            control: Arc::new(control),
        })
    }

    fn wrap(&self, inner: Box<dyn Assembly>) -> Box<dyn Assembly> {
        Box::new(FaultyAssembly::over(inner, Arc::clone(&self.control)))
    }
}

#[async_trait]
impl Vault for FaultyVault {
    fn kind(&self) -> &'static str {
        self.inner.kind()
    }
    fn flush_every_bytes(&self) -> u64 {
        self.inner.flush_every_bytes()
    }
    fn free_bytes(&self) -> Result<Option<u64>> {
        self.inner.free_bytes()
    }
    async fn begin(&self, begin: &BeginRequest) -> Result<Box<dyn Assembly>> {
        let assembly = call!(self.control, "begin", self.inner.begin(begin))?;
        Ok(self.wrap(assembly))
    }
    async fn resume(&self, state: &AssemblyState, durable_bytes: u64) -> Result<Box<dyn Assembly>> {
        let assembly = call!(
            self.control,
            "resume",
            self.inner.resume(state, durable_bytes)
        )?;
        Ok(self.wrap(assembly))
    }
    async fn discard(&self, state: &AssemblyState) -> Result<()> {
        call!(self.control, "discard", self.inner.discard(state))
    }
    async fn read_assembly(&self, state: &AssemblyState, range: Range<u64>) -> Result<Bytestream> {
        call!(
            self.control,
            "read_assembly",
            self.inner.read_assembly(state, range)
        )
    }
    async fn assembly_descriptor(&self, state: &AssemblyState) -> Result<Option<OwnedFd>> {
        self.inner.assembly_descriptor(state).await
    }
    async fn seal(&self, state: &AssemblyState, seal: &SealRequest) -> Result<Sealed> {
        call!(self.control, "seal", self.inner.seal(state, seal))
    }
    async fn share(&self, share: &ShareRequest) -> Result<Sealed> {
        call!(self.control, "share", self.inner.share(share))
    }
    async fn read(&self, key: &VaultKey, range: Range<u64>) -> Result<Bytestream> {
        call!(self.control, "read", self.inner.read(key, range))
    }
    async fn read_back(&self, key: &VaultKey) -> Result<Bytestream> {
        call!(self.control, "read_back", self.inner.read_back(key))
    }
    async fn size(&self, key: &VaultKey) -> Result<Option<u64>> {
        call!(self.control, "size", self.inner.size(key))
    }
    async fn descriptor(&self, key: &VaultKey) -> Result<Option<OwnedFd>> {
        self.inner.descriptor(key).await
    }
    async fn delete_original(&self, key: &VaultKey) -> Result<()> {
        self.inner.delete_original(key).await
    }
    async fn put_beside(&self, key: &VaultKey, name: BesideName, bytes: &[u8]) -> Result<PutOnce> {
        call!(
            self.control,
            "put_beside",
            self.inner.put_beside(key, name, bytes)
        )
    }
    async fn get_beside(&self, key: &VaultKey, name: BesideName) -> Result<Option<Vec<u8>>> {
        call!(self.control, "get_beside", self.inner.get_beside(key, name))
    }
    async fn put_derivative(
        &self,
        id: RecordingId,
        created_at: Micros,
        name: &DerivativeName,
        bytes: &[u8],
    ) -> Result<()> {
        self.inner.put_derivative(id, created_at, name, bytes).await
    }
    async fn get_derivative(
        &self,
        id: RecordingId,
        created_at: Micros,
        name: &DerivativeName,
    ) -> Result<Option<Vec<u8>>> {
        self.inner.get_derivative(id, created_at, name).await
    }
    async fn delete_derivatives(&self, id: RecordingId, created_at: Micros) -> Result<()> {
        self.inner.delete_derivatives(id, created_at).await
    }
    async fn log_read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        call!(self.control, "log_read", self.inner.log_read(path))
    }
    async fn log_create(&self, path: &str, bytes: &[u8]) -> Result<()> {
        call!(
            self.control,
            "log_create",
            self.inner.log_create(path, bytes)
        )
    }
    async fn log_replace(&self, path: &str, expected: Option<&[u8]>, new: &[u8]) -> Result<()> {
        call!(
            self.control,
            "log_replace",
            self.inner.log_replace(path, expected, new)
        )
    }
    async fn log_list(
        &self,
        folder: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>> {
        self.inner.log_list(folder, after, limit).await
    }
    async fn originals(
        &self,
        after: Option<&VaultKey>,
        limit: usize,
    ) -> Result<Vec<StoredOriginal>> {
        self.inner.originals(after, limit).await
    }
    async fn leftovers(&self, limit: usize) -> Result<Vec<Leftover>> {
        call!(self.control, "leftovers", self.inner.leftovers(limit))
    }
}
