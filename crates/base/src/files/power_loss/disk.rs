//! Inodes and directories, each as seen and as durable, with what lies between them in order.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind};
use std::path::{Component, Path};

use super::super::Metadata;

/// A file, whatever its names are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileNumber(pub(super) usize);

/// A directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DirNumber(pub(super) usize);

const ROOT: DirNumber = DirNumber(0);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Node {
    File(FileNumber),
    Dir(DirNumber),
}

pub(super) type Names = BTreeMap<OsString, Node>;

/// One change of a file's content or length.
#[derive(Debug, Clone)]
pub(super) enum Change {
    Write(u64, Vec<u8>),
    SetSize(u64),
}

impl Change {
    pub(super) fn end_bytes(&self) -> u64 {
        match self {
            Self::Write(offset_bytes, bytes) => offset_bytes.saturating_add(bytes.len() as u64),
            Self::SetSize(size_bytes) => *size_bytes,
        }
    }

    pub(super) fn apply(&self, content: &mut Vec<u8>) {
        let end = self.end_bytes() as usize;
        match self {
            Self::Write(_, bytes) if bytes.is_empty() => {}
            Self::Write(offset_bytes, bytes) => {
                if content.len() < end {
                    content.resize(end, 0);
                }
                content[*offset_bytes as usize..end].copy_from_slice(bytes);
            }
            Self::SetSize(_) => content.resize(end, 0),
        }
    }
}

#[derive(Debug, Default, Clone)]
pub(super) struct Inode {
    pub(super) seen: Vec<u8>,
    pub(super) durable: Vec<u8>,
    pub(super) unsynced: Vec<Change>,
    pub(super) readonly: bool,
    pub(super) readonly_durable: bool,
}

#[derive(Debug, Default, Clone)]
pub(super) struct Dir {
    pub(super) seen: Names,
    pub(super) durable: Names,
}

/// One change of names: a creation has only `put`, a removal only `take`, a rename both.
#[derive(Debug, Clone)]
pub(super) struct Naming {
    pub(super) put: Option<(DirNumber, OsString, Node)>,
    pub(super) take: Option<(DirNumber, OsString)>,
}

#[derive(Debug, Clone)]
pub(super) struct Disk {
    pub(super) inodes: Vec<Inode>,
    pub(super) dirs: Vec<Dir>,
    /// Not yet durable, or only one half of it, in order.
    pub(super) namings: Vec<Naming>,
}

impl Default for Disk {
    fn default() -> Self {
        Self {
            inodes: Vec::new(),
            dirs: vec![Dir::default()],
            namings: Vec::new(),
        }
    }
}

impl Disk {
    pub(super) fn find(&self, path: &Path) -> io::Result<Option<Node>> {
        let mut node = Node::Dir(ROOT);
        for component in path.components() {
            let name = match component {
                Component::RootDir | Component::CurDir => continue,
                Component::Normal(name) => name,
                _ => return Err(ErrorKind::InvalidInput.into()),
            };
            let Node::Dir(dir) = node else {
                return Err(ErrorKind::NotADirectory.into());
            };
            match self.dirs[dir.0].seen.get(name) {
                Some(found) => node = *found,
                None => return Ok(None),
            }
        }
        Ok(Some(node))
    }

    pub(super) fn find_file(&self, path: &Path) -> io::Result<FileNumber> {
        match self.find(path)? {
            Some(Node::File(file)) => Ok(file),
            Some(Node::Dir(_)) => Err(ErrorKind::IsADirectory.into()),
            None => Err(ErrorKind::NotFound.into()),
        }
    }

    fn find_dir(&self, path: &Path) -> io::Result<DirNumber> {
        match self.find(path)? {
            Some(Node::Dir(dir)) => Ok(dir),
            Some(Node::File(_)) => Err(ErrorKind::NotADirectory.into()),
            None => Err(ErrorKind::NotFound.into()),
        }
    }

    pub(super) fn is_dir(&self, path: &Path) -> bool {
        self.find_dir(path).is_ok()
    }

    /// The directory that holds (or would hold) the last name of the path, and that name.
    fn place<'p>(&self, path: &'p Path) -> io::Result<(DirNumber, &'p OsStr)> {
        let name = path.file_name().ok_or(ErrorKind::InvalidInput)?;
        let dir = self.find_dir(path.parent().unwrap_or(Path::new("")))?;
        Ok((dir, name))
    }

    fn put(&mut self, path: &Path, node: Node) -> io::Result<()> {
        let (dir, name) = self.place(path)?;
        self.dirs[dir.0].seen.insert(name.to_owned(), node);
        self.namings.push(Naming {
            put: Some((dir, name.to_owned(), node)),
            take: None,
        });
        Ok(())
    }

    fn take(&mut self, path: &Path) -> io::Result<()> {
        let (dir, name) = self.place(path)?;
        self.dirs[dir.0].seen.remove(name);
        self.namings.push(Naming {
            put: None,
            take: Some((dir, name.to_owned())),
        });
        Ok(())
    }

    fn refuse_existing(&self, path: &Path) -> io::Result<()> {
        match self.find(path)? {
            Some(_) => Err(ErrorKind::AlreadyExists.into()),
            None => Ok(()),
        }
    }

    pub(super) fn create_file(&mut self, path: &Path) -> io::Result<FileNumber> {
        self.refuse_existing(path)?;
        let file = FileNumber(self.inodes.len());
        self.put(path, Node::File(file))?;
        self.inodes.push(Inode::default());
        Ok(file)
    }

    pub(super) fn create_dir(&mut self, path: &Path) -> io::Result<()> {
        self.refuse_existing(path)?;
        let dir = DirNumber(self.dirs.len());
        self.put(path, Node::Dir(dir))?;
        self.dirs.push(Dir::default());
        Ok(())
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let node = self.find(from)?.ok_or(ErrorKind::NotFound)?;
        if let Some(Node::Dir(_)) = self.find(to)? {
            return Err(ErrorKind::IsADirectory.into());
        }
        let (from_dir, from_name) = self.place(from)?;
        let (to_dir, to_name) = self.place(to)?;
        if (from_dir, from_name) == (to_dir, to_name) {
            return Ok(());
        }
        self.dirs[from_dir.0].seen.remove(from_name);
        self.dirs[to_dir.0].seen.insert(to_name.to_owned(), node);
        self.namings.push(Naming {
            put: Some((to_dir, to_name.to_owned(), node)),
            take: Some((from_dir, from_name.to_owned())),
        });
        Ok(())
    }

    pub(super) fn remove_file(&mut self, path: &Path) -> io::Result<()> {
        self.find_file(path)?;
        self.take(path)
    }

    pub(super) fn remove_dir(&mut self, path: &Path) -> io::Result<()> {
        let dir = self.find_dir(path)?;
        if !self.dirs[dir.0].seen.is_empty() {
            return Err(ErrorKind::DirectoryNotEmpty.into());
        }
        self.take(path)
    }

    /// Makes every earlier change of this directory's names durable.
    pub(super) fn sync_dir(&mut self, path: &Path) -> io::Result<()> {
        let dir = self.find_dir(path)?;
        for naming in &mut self.namings {
            if let Some((_, name)) = naming.take.take_if(|(place, _)| *place == dir) {
                self.dirs[dir.0].durable.remove(&name);
            }
            if let Some((_, name, node)) = naming.put.take_if(|(place, _, _)| *place == dir) {
                self.dirs[dir.0].durable.insert(name, node);
            }
        }
        self.namings
            .retain(|naming| naming.put.is_some() || naming.take.is_some());
        for node in self.dirs[dir.0].durable.values() {
            if let Node::File(file) = node {
                let inode = &mut self.inodes[file.0];
                inode.readonly_durable = inode.readonly;
            }
        }
        Ok(())
    }

    pub(super) fn names(&self, path: &Path) -> io::Result<Vec<OsString>> {
        let dir = self.find_dir(path)?;
        Ok(self.dirs[dir.0].seen.keys().cloned().collect())
    }

    pub(super) fn metadata(&self, path: &Path) -> io::Result<Option<Metadata>> {
        Ok(self.find(path)?.map(|node| match node {
            Node::Dir(_) => Metadata {
                size_bytes: 0,
                is_dir: true,
                is_readonly: false,
            },
            Node::File(file) => Metadata {
                size_bytes: self.size_bytes(file),
                is_dir: false,
                is_readonly: self.is_readonly(file),
            },
        }))
    }

    pub(super) fn set_readonly(&mut self, path: &Path) -> io::Result<()> {
        let file = self.find_file(path)?;
        self.inodes[file.0].readonly = true;
        Ok(())
    }

    pub(super) fn is_readonly(&self, file: FileNumber) -> bool {
        self.inodes[file.0].readonly
    }

    pub(super) fn size_bytes(&self, file: FileNumber) -> u64 {
        self.inodes[file.0].seen.len() as u64
    }

    /// The lengths of all files that have a name.
    pub(super) fn used_bytes(&self) -> u64 {
        let nodes = self.dirs.iter().flat_map(|dir| dir.seen.values());
        nodes
            .map(|node| match node {
                Node::File(file) => self.size_bytes(*file),
                Node::Dir(_) => 0,
            })
            .sum()
    }

    pub(super) fn change(&mut self, file: FileNumber, change: Change) -> io::Result<()> {
        let inode = &mut self.inodes[file.0];
        change.apply(&mut inode.seen);
        inode.unsynced.push(change);
        Ok(())
    }

    pub(super) fn read(&self, file: FileNumber, buffer: &mut [u8], offset_bytes: u64) -> usize {
        let seen = &self.inodes[file.0].seen;
        let from = usize::try_from(offset_bytes)
            .unwrap_or(usize::MAX)
            .min(seen.len());
        let length = buffer.len().min(seen.len() - from);
        buffer[..length].copy_from_slice(&seen[from..from + length]);
        length
    }

    pub(super) fn sync_file(&mut self, file: FileNumber) {
        let inode = &mut self.inodes[file.0];
        for change in std::mem::take(&mut inode.unsynced) {
            change.apply(&mut inode.durable);
        }
    }

    /// After a failed sync the pages count as clean: no later sync writes them.
    pub(super) fn forget_unsynced(&mut self, file: FileNumber) {
        self.inodes[file.0].unsynced.clear();
    }
}
