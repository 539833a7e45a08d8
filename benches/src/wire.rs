//! The smallest HTTP/1.1 client that can send a body of any size: one blocking socket, one buffer.
//! A full client would take processor time from the server that shares the machine with it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// An answer.
pub(crate) struct Reply {
    /// Its status.
    pub status: u16,
    /// Its headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
    /// From the last body byte sent to the first line received.
    pub after_last_byte: Duration,
}

impl Reply {
    /// The value of a header, by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The reply itself if it has this status.
    pub fn expect(self, status: u16) -> Result<Self> {
        if self.status != status {
            bail!(
                "status {} instead of {status}: {}",
                self.status,
                String::from_utf8_lossy(&self.body)
            );
        }
        Ok(self)
    }
}

/// A connection.
pub(crate) struct Wire {
    stream: BufReader<TcpStream>,
    address: SocketAddr,
}

/// A body that is never whole in memory: `size_bytes` of one repeated block, whose first bytes are
/// `tag`, so that no two uploads are the same file.
pub(crate) struct Body<'a> {
    /// How long it is.
    pub size_bytes: u64,
    /// What it is filled with, repeated.
    pub block: &'a [u8],
    /// Its first bytes.
    pub tag: [u8; 16],
}

impl Wire {
    /// Connects.
    pub fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(120)))?;
        Ok(Self {
            stream: BufReader::new(stream),
            address,
        })
    }

    /// One exchange without a body.
    pub fn ask(&mut self, method: &str, path: &str, headers: &[(&str, &str)]) -> Result<Reply> {
        self.head(method, path, headers, 0)?;
        self.reply(Instant::now())
    }

    /// One exchange with a body.
    pub fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &Body<'_>,
    ) -> Result<Reply> {
        self.head(method, path, headers, body.size_bytes)?;
        let stream = self.stream.get_mut();
        let head = &body.tag[..body.tag.len().min(usize::try_from(body.size_bytes)?)];
        stream.write_all(head)?;
        let mut left = body.size_bytes - head.len() as u64;
        while left > 0 {
            let length =
                usize::try_from(left).map_or(body.block.len(), |l| l.min(body.block.len()));
            stream.write_all(&body.block[..length])?;
            left -= length as u64;
        }
        self.reply(Instant::now())
    }

    /// One exchange whose body is a file's bytes.
    pub fn send_file(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        file: &Path,
    ) -> Result<Reply> {
        let mut file = std::fs::File::open(file)?;
        self.head(method, path, headers, file.metadata()?.len())?;
        std::io::copy(&mut file, self.stream.get_mut())?;
        self.reply(Instant::now())
    }

    fn head(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        length: u64,
    ) -> Result<()> {
        let mut text = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-length: {length}\r\n",
            self.address
        );
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        Ok(self.stream.get_mut().write_all(text.as_bytes())?)
    }

    fn reply(&mut self, last_byte: Instant) -> Result<Reply> {
        let first = self.line()?;
        let after_last_byte = last_byte.elapsed();
        let status = first
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok())
            .with_context(|| format!("no status line: {first:?}"))?;
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').context("a header without a colon")?;
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut reply = Reply {
            status,
            headers,
            body: Vec::new(),
            after_last_byte,
        };
        if reply.header("transfer-encoding").is_some() {
            self.chunks(&mut reply.body)?;
        } else if let Some(length) = reply.header("content-length") {
            let length = length.parse()?;
            (&mut self.stream)
                .take(length)
                .read_to_end(&mut reply.body)?;
        }
        Ok(reply)
    }

    fn chunks(&mut self, body: &mut Vec<u8>) -> Result<()> {
        loop {
            let length = u64::from_str_radix(self.line()?.trim(), 16)?;
            (&mut self.stream).take(length).read_to_end(body)?;
            self.line()?;
            if length == 0 {
                return Ok(());
            }
        }
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            bail!("the server closed the connection");
        }
        line.truncate(line.trim_end().len());
        Ok(line)
    }
}
