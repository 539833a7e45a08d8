//! A link of limited speed: a relay on loopback in front of a server.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::Result;

/// What all connections share in one direction: bytes leave one after the other.
struct Link {
    bytes_per_second: f64,
    free_at: Mutex<Instant>,
}

impl Link {
    /// Waits until so many bytes have passed.
    fn pass(&self, bytes: usize) {
        let lasts = Duration::from_secs_f64(bytes as f64 / self.bytes_per_second);
        let done = {
            let mut free_at = self
                .free_at
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            // Being scheduled late must not cost the link its time: so much is caught up with.
            let earliest = Instant::now() - Duration::from_millis(20);
            *free_at = (*free_at).max(earliest) + lasts;
            *free_at
        };
        std::thread::sleep(done.saturating_duration_since(Instant::now()));
    }
}

/// Relays to `server`, as fast in each direction as the link is; for as long as the process lives. The address
/// to connect to.
pub(crate) fn start(server: SocketAddr, megabits_per_second: f64) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let link = || {
        Arc::new(Link {
            bytes_per_second: megabits_per_second * 1e6 / 8.0,
            free_at: Mutex::new(Instant::now()),
        })
    };
    let (up, down) = (link(), link());
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (up, down) = (up.clone(), down.clone());
            // A connection that can't be made ends as one that broke: the client tries again.
            let _ = client.and_then(|client| join(client, TcpStream::connect(server)?, up, down));
        }
    });
    Ok(address)
}

fn join(
    client: TcpStream,
    server: TcpStream,
    up: Arc<Link>,
    down: Arc<Link>,
) -> std::io::Result<()> {
    let (from_client, to_client) = (client.try_clone()?, client);
    let (from_server, to_server) = (server.try_clone()?, server);
    std::thread::spawn(move || copy(from_client, to_server, &up));
    std::thread::spawn(move || copy(from_server, to_client, &down));
    Ok(())
}

fn copy(mut from: TcpStream, mut to: TcpStream, link: &Link) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(length) = from.read(&mut buffer) {
        if length == 0 {
            break;
        }
        link.pass(length);
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
