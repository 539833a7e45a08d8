//! Bounded pools of named threads, and ordered lanes of work over them.
//!
//! A [`Lane`] runs its jobs one after another in the order they were given, a [`Pool`] runs many
//! lanes on few threads. So an upload's chunks are hashed in order while all uploads together never
//! use more threads than the pool has. Nothing here bounds the queue: whoever submits bounds it by
//! bytes (a count of jobs would let memory grow with the size of a chunk).

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

type Job = Box<dyn FnOnce() + Send>;

/// Jobs of one lane that run before another waiting lane gets its turn.
const TURN: usize = 16;

/// A fixed number of named threads. They end when the last [`Pool`] and [`Lane`] handle is gone.
#[derive(Clone)]
pub struct Pool {
    shared: Arc<PoolHandle>,
}

struct PoolHandle {
    ready: Arc<Ready>,
}

#[derive(Default)]
struct Ready {
    queue: Mutex<ReadyQueue>,
    wake: Condvar,
}

#[derive(Default)]
struct ReadyQueue {
    lanes: VecDeque<Arc<LaneState>>,
    closed: bool,
}

#[derive(Default)]
struct LaneState {
    jobs: Mutex<LaneJobs>,
}

#[derive(Default)]
struct LaneJobs {
    waiting: VecDeque<Job>,
    /// The lane is in the ready queue or a thread is working on it.
    scheduled: bool,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pool")
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Queues stay consistent when a job panics: jobs run outside the lock.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pool {
    /// Starts `threads` threads called `name-0`, `name-1`, ...
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(name: &str, threads: usize) -> std::io::Result<Self> {
        let ready = Arc::new(Ready::default());
        for index in 0..threads.max(1) {
            let ready = Arc::clone(&ready);
            thread::Builder::new()
                .name(format!("{name}-{index}"))
                .spawn(move || ready.work())?;
        }
        Ok(Self {
            shared: Arc::new(PoolHandle { ready }),
        })
    }

    /// A new lane with nothing to do.
    pub fn lane(&self) -> Lane {
        Lane {
            pool: self.clone(),
            state: Arc::default(),
        }
    }

    /// Runs one job in no particular order.
    pub fn run(&self, job: impl FnOnce() + Send + 'static) {
        self.lane().submit(job);
    }
}

impl Drop for PoolHandle {
    fn drop(&mut self) {
        lock(&self.ready.queue).closed = true;
        self.ready.wake.notify_all();
    }
}

impl Ready {
    fn push(&self, lane: Arc<LaneState>) {
        lock(&self.queue).lanes.push_back(lane);
        self.wake.notify_one();
    }

    fn work(&self) {
        while let Some(lane) = self.next() {
            if lane.run_turn() {
                self.push(lane);
            }
        }
    }

    fn next(&self) -> Option<Arc<LaneState>> {
        let mut queue = lock(&self.queue);
        loop {
            if let Some(lane) = queue.lanes.pop_front() {
                return Some(lane);
            }
            if queue.closed {
                return None;
            }
            queue = self
                .wake
                .wait(queue)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl LaneState {
    /// Runs up to [`TURN`] jobs; true when more wait.
    fn run_turn(&self) -> bool {
        for _ in 0..TURN {
            let job = {
                let mut jobs = lock(&self.jobs);
                match jobs.waiting.pop_front() {
                    Some(job) => job,
                    None => {
                        jobs.scheduled = false;
                        return false;
                    }
                }
            };
            // A panicking job must cost its own upload, not the thread that serves all of them: its
            // reply channel is dropped, which its owner sees as a failure.
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job));
        }
        true
    }
}

/// An ordered queue of jobs on a [`Pool`].
#[derive(Clone)]
pub struct Lane {
    pool: Pool,
    state: Arc<LaneState>,
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lane")
    }
}

impl Lane {
    /// Queues a job behind the lane's others.
    pub fn submit(&self, job: impl FnOnce() + Send + 'static) {
        let mut jobs = lock(&self.state.jobs);
        jobs.waiting.push_back(Box::new(job));
        if !jobs.scheduled {
            jobs.scheduled = true;
            drop(jobs);
            self.pool.shared.ready.push(Arc::clone(&self.state));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn a_lane_keeps_order_on_many_threads() {
        let pool = Pool::start("test", 4).expect("threads");
        let (send, receive) = mpsc::channel();
        let lanes: Vec<Lane> = (0..8).map(|_| pool.lane()).collect();
        for n in 0..100 {
            for (index, lane) in lanes.iter().enumerate() {
                let send = send.clone();
                lane.submit(move || send.send((index, n)).expect("receiver"));
            }
        }
        drop(send);
        let mut next = [0; 8];
        for (index, n) in receive {
            assert_eq!(next[index], n, "lane {index}");
            next[index] += 1;
        }
        assert_eq!(next, [100; 8]);
    }

    #[test]
    fn a_panicking_job_costs_only_itself() {
        let pool = Pool::start("test", 1).expect("threads");
        let (send, receive) = mpsc::channel();
        let lane = pool.lane();
        lane.submit(|| panic!("a job's own fault"));
        lane.submit(move || send.send(7).expect("receiver"));
        assert_eq!(receive.recv(), Ok(7));
    }
}
