//! Somebody who watches: the playlist, the init segment, then segment after segment.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::targets::Target;
use crate::wire::{Reply, Wire};

/// One viewer's connection.
pub(crate) struct Viewer<'a> {
    target: &'a Target,
    wire: Wire,
    id: String,
}

/// What a media playlist lists.
pub(crate) struct Playlist {
    /// The init segment's name.
    pub init: String,
    /// Names of the segments and how long each lasts, in seconds.
    pub segments: Vec<(String, f64)>,
}

impl<'a> Viewer<'a> {
    /// Connects, to watch this recording.
    pub fn of(target: &'a Target, id: &str) -> Result<Self> {
        Ok(Self {
            target,
            wire: Wire::connect(target.server.address)?,
            id: id.to_owned(),
        })
    }

    /// The answer to one request under the recording's `hls/`.
    pub fn ask(&mut self, name: &str) -> Result<Reply> {
        let path = format!("/v1/recordings/{}/hls/{name}", self.id);
        self.wire.ask("GET", &path, &self.target.headers())
    }

    /// The media playlist; of several variants the first, as players begin.
    pub fn playlist(&mut self) -> Result<Option<Playlist>> {
        let reply = self.ask("index.m3u8")?;
        if reply.status == 409 || reply.status == 404 {
            return Ok(None);
        }
        let mut text = String::from_utf8(reply.expect(200)?.body)?;
        if text.contains("#EXT-X-STREAM-INF") {
            let name = text
                .lines()
                .find(|line| !line.starts_with('#') && !line.is_empty());
            let name = name.context("an empty multivariant playlist")?.to_owned();
            text = String::from_utf8(self.ask(&name)?.expect(200)?.body)?;
        }
        let list = Playlist::read(&text);
        Ok((!list.segments.is_empty()).then_some(list))
    }

    /// Asks until something can be played.
    pub fn await_playlist(&mut self) -> Result<Playlist> {
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(600) {
            if let Some(list) = self.playlist()? {
                return Ok(list);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!("nothing to play after ten minutes")
    }

    /// The bytes of one file.
    pub fn bytes(&mut self, name: &str) -> Result<Vec<u8>> {
        Ok(self.ask(name)?.expect(200)?.body)
    }
}

impl Playlist {
    fn read(text: &str) -> Self {
        let mut list = Self {
            init: String::new(),
            segments: Vec::new(),
        };
        let mut lasts = 0.0;
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("#EXT-X-MAP:URI=\"") {
                list.init = rest.split('"').next().unwrap_or_default().to_owned();
            } else if let Some(rest) = line.strip_prefix("#EXTINF:") {
                lasts = rest.trim_end_matches(',').parse().unwrap_or(0.0);
            } else if !line.starts_with('#') && !line.is_empty() {
                list.segments.push((line.to_owned(), lasts));
            }
        }
        list
    }

    /// How long all of it lasts, in seconds.
    pub fn seconds(&self) -> f64 {
        self.segments.iter().map(|(_, lasts)| lasts).sum()
    }
}
