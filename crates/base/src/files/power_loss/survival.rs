//! What the disk holds after the power was gone.

use super::disk::{Change, Disk, Inode, Names, Naming};

/// What outlives a power cut besides what was synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Survival {
    /// Nothing.
    OnlySynced,
    /// Each unsynced write (perhaps torn, or as a length without content) and each unsynced name, or
    /// not, as this seed has it.
    Random(u64),
}

/// SplitMix64 (Steele, Lea, Flood 2014): small, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % sides.max(1)
    }
}

impl Disk {
    pub(super) fn after_power_loss(&self, survival: Survival) -> Self {
        let mut disk = self.clone();
        if let Survival::Random(seed) = survival {
            let mut dice = Dice(seed);
            for naming in &self.namings {
                keep_name(&mut disk, naming, &mut dice);
            }
            for inode in &mut disk.inodes {
                keep_content(inode, &mut dice);
            }
        }
        disk.namings.clear();
        for dir in &mut disk.dirs {
            dir.seen.clone_from(&dir.durable);
        }
        for inode in &mut disk.inodes {
            inode.seen.clone_from(&inode.durable);
            inode.readonly = inode.readonly_durable;
            inode.unsynced.clear();
        }
        disk
    }
}

/// A rename survives wholly, not at all, or as both names: never as neither, where that is still open.
fn keep_name(disk: &mut Disk, naming: &Naming, dice: &mut Dice) {
    let kept = dice.throw(3);
    if kept == 0 {
        return;
    }
    if let Some((dir, name, node)) = &naming.put {
        let names: &mut Names = &mut disk.dirs[dir.0].durable;
        names.insert(name.clone(), *node);
        if kept == 1 {
            return;
        }
    }
    if let Some((dir, name)) = &naming.take {
        disk.dirs[dir.0].durable.remove(name);
    }
}

fn keep_content(inode: &mut Inode, dice: &mut Dice) {
    if inode.readonly && dice.throw(2) == 1 {
        inode.readonly_durable = true;
    }
    for change in std::mem::take(&mut inode.unsynced) {
        match (dice.throw(4), &change) {
            (0, _) => {}
            (1, Change::Write(offset_bytes, bytes)) => {
                let torn = dice.throw(bytes.len() as u64 + 1) as usize;
                Change::Write(*offset_bytes, bytes[..torn].to_vec()).apply(&mut inode.durable);
            }
            // The new length without the new content.
            (2, Change::Write(..)) if change.end_bytes() > inode.durable.len() as u64 => {
                Change::SetSize(change.end_bytes()).apply(&mut inode.durable);
            }
            _ => change.apply(&mut inode.durable),
        }
    }
}
