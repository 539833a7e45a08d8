//! A file system in memory that can lose power.
//!
//! It keeps two states: what a running program sees, and what the disk holds. Content and length pass
//! from the first to the second by [`File::sync_data`], names by [`Files::sync_dir`]; nothing else does.
//! Every mutating call is counted, so a test can cut the power at each of them in turn, [reopen] the
//! file system and look at what is left.
//!
//! Where real file systems differ, it takes what is harder on the program, with two exceptions that
//! every journalled file system grants: an interrupted rename never loses the file (the new name may be
//! missing or both may be there), unless the program itself made only the loss of the old name durable;
//! and the mode bits of a file become durable with its directory.
//!
//! [reopen]: PowerLossFiles::reopen

mod disk;
mod survival;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::disk::{Change, Disk, FileNumber};
pub use self::survival::Survival;
use super::{File, Files, Metadata};

/// What happens to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It has no effect and reports this error. A failed `sync_data` also forgets what it should have
    /// made durable, as Linux does: a later success says nothing about those bytes.
    Fails(ErrorKind),
    /// It does its work and reports this error all the same.
    FailsButPersists(ErrorKind),
}

/// A file system in memory that can lose power. Clones share it.
#[derive(Clone)]
pub struct PowerLossFiles {
    machine: Arc<Mutex<Machine>>,
}

struct Machine {
    disk: Disk,
    calls: u64,
    cut_after: Option<u64>,
    dark: bool,
    faults: HashMap<u64, Fault>,
    capacity_bytes: Option<u64>,
}

/// What a counted call may do.
enum Turn {
    Go,
    /// It is the call during which the power goes: begun, never answered.
    Cut,
    Fault(Fault),
}

impl fmt::Debug for PowerLossFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PowerLossFiles({} calls)", self.lock().calls)
    }
}

impl Default for PowerLossFiles {
    fn default() -> Self {
        Self::with(Disk::default())
    }
}

fn power_lost() -> io::Error {
    io::Error::other("power lost")
}

impl PowerLossFiles {
    /// Empty, with the power on.
    pub fn new() -> Self {
        Self::default()
    }

    fn with(disk: Disk) -> Self {
        let machine = Machine {
            disk,
            calls: 0,
            cut_after: None,
            dark: false,
            faults: HashMap::new(),
            capacity_bytes: None,
        };
        Self {
            machine: Arc::new(Mutex::new(machine)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Mutating calls so far. Reading, hints and looking are not counted.
    pub fn calls(&self) -> u64 {
        self.lock().calls
    }

    /// Lets `calls` more mutating calls succeed; during the one after them the power goes: it may have
    /// reached the disk, in whole or in part, and it and every later call of any kind fails.
    pub fn cut_after(&self, calls: u64) {
        let mut machine = self.lock();
        machine.cut_after = Some(machine.calls + calls);
    }

    /// Whether the power is gone.
    pub fn is_cut(&self) -> bool {
        self.lock().dark
    }

    /// Makes the `nth` mutating call from now on (1 is the next) go wrong.
    pub fn fail_call(&self, nth: u64, fault: Fault) {
        let mut machine = self.lock();
        let at = machine.calls + nth.max(1);
        machine.faults.insert(at, fault);
    }

    /// Refuses writes that would let the files' lengths add up to more than this. `None`: endless.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.lock().capacity_bytes = bytes;
    }

    /// The file system as found after power loss (now, if it was not cut before). This one stays dark.
    #[must_use]
    pub fn reopen(&self, survival: Survival) -> Self {
        let mut machine = self.lock();
        machine.dark = true;
        Self::with(machine.disk.after_power_loss(survival))
    }

    fn mutate<T>(&self, work: impl FnOnce(&mut Disk) -> io::Result<T>) -> io::Result<T> {
        self.lock().mutate(work, |_| {})
    }

    fn look<T>(&self, work: impl FnOnce(&Disk) -> io::Result<T>) -> io::Result<T> {
        let machine = self.lock();
        if machine.dark {
            return Err(power_lost());
        }
        work(&machine.disk)
    }

    fn handle(&self, file: FileNumber, writable: bool) -> Arc<dyn File> {
        Arc::new(OpenFile {
            files: self.clone(),
            file,
            writable,
        })
    }
}

impl Machine {
    fn turn(&mut self) -> io::Result<Turn> {
        if self.dark {
            return Err(power_lost());
        }
        if self.cut_after == Some(self.calls) {
            self.dark = true;
            return Ok(Turn::Cut);
        }
        self.calls += 1;
        Ok(match self.faults.remove(&self.calls) {
            Some(fault) => Turn::Fault(fault),
            None => Turn::Go,
        })
    }

    fn mutate<T>(
        &mut self,
        work: impl FnOnce(&mut Disk) -> io::Result<T>,
        on_failure: impl FnOnce(&mut Disk),
    ) -> io::Result<T> {
        match self.turn()? {
            Turn::Go => work(&mut self.disk),
            Turn::Cut => {
                // Begun: it is among what may or may not survive.
                let _ = work(&mut self.disk);
                Err(power_lost())
            }
            Turn::Fault(Fault::Fails(kind)) => {
                on_failure(&mut self.disk);
                Err(kind.into())
            }
            Turn::Fault(Fault::FailsButPersists(kind)) => {
                work(&mut self.disk)?;
                Err(kind.into())
            }
        }
    }

    /// A sync during which the power goes has made nothing durable for certain.
    fn sync(
        &mut self,
        work: impl FnOnce(&mut Disk) -> io::Result<()>,
        on_failure: impl FnOnce(&mut Disk),
    ) -> io::Result<()> {
        if !self.dark && self.cut_after == Some(self.calls) {
            self.dark = true;
            return Err(power_lost());
        }
        self.mutate(work, on_failure)
    }

    fn make_room(&self, file: FileNumber, end_bytes: u64) -> io::Result<()> {
        let Some(capacity_bytes) = self.capacity_bytes else {
            return Ok(());
        };
        let grows_bytes = end_bytes.saturating_sub(self.disk.size_bytes(file));
        if grows_bytes > 0 && self.disk.used_bytes() + grows_bytes > capacity_bytes {
            return Err(ErrorKind::StorageFull.into());
        }
        Ok(())
    }
}

impl Files for PowerLossFiles {
    fn create_new(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let file = self.mutate(|disk| disk.create_file(path))?;
        Ok(self.handle(file, true))
    }

    fn open_write(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let file = self.look(|disk| {
            let file = disk.find_file(path)?;
            if disk.is_readonly(file) {
                return Err(ErrorKind::PermissionDenied.into());
            }
            Ok(file)
        })?;
        Ok(self.handle(file, true))
    }

    fn open_read(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let file = self.look(|disk| disk.find_file(path))?;
        Ok(self.handle(file, false))
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        // The same steps as the machine's file system takes, each of them a call.
        if path.as_os_str().is_empty() || self.look(|disk| Ok(disk.is_dir(path)))? {
            return Ok(());
        }
        let parent = path.parent().unwrap_or(Path::new(""));
        self.create_dir_all(parent)?;
        match self.mutate(|disk| disk.create_dir(path)) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        self.sync_dir(parent)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.mutate(|disk| disk.rename(from, to))
    }

    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.mutate(|disk| {
            if disk.find(to)?.is_some() {
                return Err(ErrorKind::AlreadyExists.into());
            }
            disk.rename(from, to)
        })
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.mutate(|disk| disk.remove_file(path))
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.mutate(|disk| disk.remove_dir(path))
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.lock().sync(|disk| disk.sync_dir(path), |_| {})
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
        self.look(|disk| {
            Ok(disk
                .names(path)?
                .iter()
                .map(|name| path.join(name))
                .collect())
        })
    }

    fn metadata(&self, path: &Path) -> io::Result<Option<Metadata>> {
        self.look(|disk| disk.metadata(path))
    }

    fn set_readonly(&self, path: &Path) -> io::Result<()> {
        self.mutate(|disk| disk.set_readonly(path))
    }

    fn free_bytes(&self, _path: &Path) -> io::Result<u64> {
        let machine = self.lock();
        let capacity_bytes = machine.capacity_bytes.unwrap_or(u64::MAX / 2);
        Ok(capacity_bytes.saturating_sub(machine.disk.used_bytes()))
    }
}

/// An open file: it outlives its name, as on Unix.
struct OpenFile {
    files: PowerLossFiles,
    file: FileNumber,
    writable: bool,
}

impl fmt::Debug for OpenFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpenFile({:?})", self.file)
    }
}

impl OpenFile {
    fn change(&self, change: Change) -> io::Result<()> {
        if !self.writable {
            return Err(ErrorKind::PermissionDenied.into());
        }
        let mut machine = self.files.lock();
        if !machine.dark {
            machine.make_room(self.file, change.end_bytes())?;
        }
        machine.mutate(|disk| disk.change(self.file, change), |_| {})
    }
}

impl File for OpenFile {
    fn write_all_at(&self, bytes: &[u8], offset_bytes: u64) -> io::Result<()> {
        self.change(Change::Write(offset_bytes, bytes.to_vec()))
    }

    /// One change: what of it a power cut leaves is decided as for any write that was not synced.
    fn write_past_cache(&self, pieces: &[&[u8]], offset_bytes: u64) -> io::Result<()> {
        self.change(Change::Write(offset_bytes, pieces.concat()))
    }

    fn read_at(&self, buffer: &mut [u8], offset_bytes: u64) -> io::Result<usize> {
        self.files
            .look(|disk| Ok(disk.read(self.file, buffer, offset_bytes)))
    }

    fn size_bytes(&self) -> io::Result<u64> {
        self.files.look(|disk| Ok(disk.size_bytes(self.file)))
    }

    fn set_size(&self, size_bytes: u64) -> io::Result<()> {
        self.change(Change::SetSize(size_bytes))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.files.lock().sync(
            |disk| {
                disk.sync_file(self.file);
                Ok(())
            },
            |disk| disk.forget_unsynced(self.file),
        )
    }

    fn start_writeback(&self, _offset_bytes: u64, _length_bytes: u64) -> io::Result<()> {
        self.files.look(|_| Ok(()))
    }

    fn drop_cache(&self, _offset_bytes: u64, _length_bytes: u64) -> io::Result<()> {
        self.files.look(|_| Ok(()))
    }

    fn read_descriptor(&self) -> io::Result<Option<OwnedFd>> {
        self.files.look(|_| Ok(None))
    }
}
