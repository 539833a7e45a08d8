//! The order in which a recorder's files go out: marked ones, then those somebody waits for, then as
//! listed. Somebody who begins to wait makes a large file that is on its way step back: it is resumed
//! later where it stopped.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use docket_client::{BayState, WantedFile};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{mpsc, oneshot};

use super::docking::{CAPACITY, Docking, SMALL_BYTES};
use super::file::Sent;
use crate::card::CardFile;

/// What of a listing waits and what is on its way, by number in the list. Marked files are the first in
/// the list.
#[derive(Debug)]
struct Queue<'a> {
    files: &'a [CardFile],
    waiting: BTreeSet<usize>,
    /// Numbers that somebody waits for, the most urgent first.
    wanted: Vec<usize>,
    running: BTreeMap<usize, oneshot::Sender<()>>,
}

impl<'a> Queue<'a> {
    fn new(files: &'a [CardFile]) -> Self {
        Self {
            files,
            waiting: (0..files.len()).collect(),
            wanted: Vec::new(),
            running: BTreeMap::new(),
        }
    }

    fn weight(&self, number: usize) -> u32 {
        match self.files[number].size_bytes <= SMALL_BYTES {
            true => 1,
            false => CAPACITY,
        }
    }

    /// Which file is next, whether or not there is room for it.
    fn next(&self) -> Option<usize> {
        let first = *self.waiting.first()?;
        if self.files[first].is_key {
            return Some(first);
        }
        let wanted = self
            .wanted
            .iter()
            .find(|number| self.waiting.contains(number));
        Some(*wanted.unwrap_or(&first))
    }

    /// Takes the next file, if there is room.
    fn start(&mut self) -> Option<(usize, oneshot::Receiver<()>)> {
        let number = self.next()?;
        let weight: u32 = self.running.keys().map(|at| self.weight(*at)).sum();
        // Marked files are through before the first other one begins.
        let marked_run = self.running.keys().any(|at| self.files[*at].is_key);
        if weight + self.weight(number) > CAPACITY || (marked_run && !self.files[number].is_key) {
            return None;
        }
        let (step_back, told) = oneshot::channel();
        self.waiting.remove(&number);
        self.running.insert(number, step_back);
        Some((number, told))
    }

    /// Others are waited for than before: large files that nobody waits for step back.
    fn want(&mut self, wanted: Vec<usize>) {
        self.wanted = wanted;
        let Some(next) = self.next() else { return };
        if self.files[next].is_key || !self.wanted.contains(&next) {
            return;
        }
        let stepping: Vec<usize> = self
            .running
            .keys()
            .copied()
            .filter(|at| self.weight(*at) == CAPACITY)
            .filter(|at| !self.files[*at].is_key && !self.wanted.contains(at))
            .collect();
        for number in stepping {
            if let Some(step_back) = self.running.remove(&number) {
                // It may be through just now.
                let _ = step_back.send(());
                self.running.insert(number, oneshot::channel().0);
            }
        }
    }

    /// A file is through, or stepped back and waits again.
    fn ended(&mut self, number: usize, is_through: bool) {
        self.running.remove(&number);
        if !is_through {
            self.waiting.insert(number);
        }
    }
}

impl Docking<'_> {
    /// Sends everything, several small files at once, because each costs round trips and fsyncs; large
    /// ones one by one, because a card reads fastest in sequence.
    pub(super) async fn upload_all(&self, sent: mpsc::Sender<Sent>) {
        let files = &self.found.listing.files;
        let mut queue = Queue::new(files);
        let mut wanted = self.run.station.wanted();
        let mut running = FuturesUnordered::new();
        wanted.mark_changed();
        loop {
            while let Some((number, told)) = queue.start() {
                running.push(self.send_until(number, &files[number], told, &sent));
            }
            tokio::select! {
                ended = running.next() => match ended {
                    Some((number, is_through)) => queue.ended(number, is_through),
                    // Nothing runs and nothing could be started: all is through.
                    None => break,
                },
                // The sender lives as long as the station.
                Ok(()) = wanted.changed() => {
                    let now = Arc::clone(&wanted.borrow_and_update());
                    queue.want(self.numbers_of(&now));
                }
            }
        }
        let text = "everything is sent, receipts are awaited";
        self.run.face.show(BayState::Uploading, Some(text.into()));
    }

    /// Sends one file; whether that came to its end before it had to step back.
    async fn send_until(
        &self,
        number: usize,
        file: &CardFile,
        told: oneshot::Receiver<()>,
        sent: &mpsc::Sender<Sent>,
    ) -> (usize, bool) {
        let outcome = tokio::select! {
            biased;
            outcome = self.send(number, file) => outcome,
            Ok(()) = told => {
                tracing::info!(file = file.path.to_text(), "steps back for a file that is waited for");
                return (number, false);
            }
        };
        match outcome {
            // The receiver lives as long as this does.
            Ok(done) => drop(sent.send(done).await),
            Err(fault) => {
                self.run.face.settled(number, 0);
                self.fault(Some(&file.path.to_text()), &fault);
            }
        }
        (number, true)
    }

    /// Which of this recorder's files these are.
    fn numbers_of(&self, wanted: &[WantedFile]) -> Vec<usize> {
        if wanted.is_empty() {
            return Vec::new();
        }
        let places: HashMap<(_, &str), usize> = wanted
            .iter()
            .enumerate()
            .map(|(place, file)| ((file.docking, file.path.as_str()), place))
            .collect();
        let mut found: Vec<(usize, usize)> = Vec::new();
        for (number, file) in self.found.listing.files.iter().enumerate() {
            let path = file.path.to_text();
            let place = self
                .docking_of(file)
                .and_then(|docking| places.get(&(docking, &*path)));
            found.extend(place.map(|place| (*place, number)));
        }
        found.sort_unstable();
        found.into_iter().map(|(_, number)| number).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card::CardPath;

    fn files(sizes: &[(u64, bool)]) -> Vec<CardFile> {
        let file = |(n, (size_bytes, is_key)): (usize, &(u64, bool))| CardFile {
            path: CardPath::root()
                .join(format!("{n}").as_bytes())
                .expect("name"),
            size_bytes: *size_bytes,
            modified_ns: 0,
            is_key: *is_key,
            device: 1,
            inode: n as u64,
        };
        sizes.iter().enumerate().map(file).collect()
    }

    const LARGE: u64 = SMALL_BYTES + 1;

    #[test]
    fn marked_first_then_wanted_then_as_listed() {
        let files = files(&[(9, true), (LARGE, false), (9, false), (LARGE, false)]);
        let mut queue = Queue::new(&files);
        queue.want(vec![3]);
        let mut order = Vec::new();
        while let Some(number) = queue.next() {
            let (started, _told) = queue.start().expect("room");
            assert_eq!(number, started);
            order.push(number);
            queue.ended(number, true);
        }
        assert_eq!(order, [0, 3, 1, 2]);
    }

    #[test]
    fn marked_files_are_through_before_others_begin() {
        let files = files(&[(9, true), (9, false)]);
        let mut queue = Queue::new(&files);
        assert_eq!(queue.start().expect("marked").0, 0);
        assert!(queue.start().is_none());
        queue.ended(0, true);
        assert_eq!(queue.start().expect("other").0, 1);
    }

    #[test]
    fn a_large_file_steps_back_for_one_that_is_waited_for() {
        let files = files(&[(LARGE, false), (LARGE, false), (LARGE, false)]);
        let mut queue = Queue::new(&files);
        let (first, mut told) = queue.start().expect("room");
        assert_eq!(first, 0);
        assert!(told.try_recv().is_err());
        queue.want(vec![2]);
        assert_eq!(told.try_recv(), Ok(()));
        queue.ended(0, false);
        let (second, mut told) = queue.start().expect("room");
        assert_eq!(second, 2);
        // What is on its way and waited for stays.
        queue.want(vec![2]);
        queue.want(vec![1, 2]);
        assert!(told.try_recv().is_err());
        queue.ended(2, true);
        assert_eq!(queue.start().expect("room").0, 1);
        queue.ended(1, true);
        assert_eq!(queue.start().expect("room").0, 0);
    }
}
