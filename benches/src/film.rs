//! What the recorders filmed: made once by ffmpeg and kept beside the bench's folder.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Films of one minute and of an hour, 1080p at 25 frames a second.
pub(crate) struct Films {
    dir: PathBuf,
}

impl Films {
    /// In a folder that outlives the bench.
    pub fn kept_in(dir: &Path) -> Result<Self> {
        let dir = dir.join("bench-films");
        std::fs::create_dir_all(&dir)?;
        Ok(Self { dir })
    }

    /// A minute of H.264 at 4.3 Mbit/s with AAC, its index last.
    pub fn minute(&self) -> Result<PathBuf> {
        self.made("minute.mp4", |to| {
            encode(&["-c:v", "libx264", "-x264-params", "nal-hrd=cbr"], 60, to)
        })
    }

    /// The same for an hour, 2 GB: the minute sixty times.
    pub fn hour(&self) -> Result<PathBuf> {
        let minute = self.minute()?;
        self.made("hour.mp4", |to| {
            copy(&["-stream_loop", "59"], &minute, &[], to)
        })
    }

    /// The hour with its index first, as web servers want it.
    pub fn hour_index_first(&self) -> Result<PathBuf> {
        let hour = self.hour()?;
        self.made("hour-index-first.mp4", |to| {
            copy(&[], &hour, &["-movflags", "+faststart"], to)
        })
    }

    /// Half a minute of H.265.
    pub fn hevc(&self) -> Result<PathBuf> {
        self.made("hevc.mp4", |to| {
            encode(
                &["-c:v", "libx265", "-x265-params", "log-level=error"],
                30,
                to,
            )
        })
    }

    /// The same film as another recorder's: other bytes, since nobody stores the same ones twice.
    pub fn another(&self, film: &Path, number: usize, to: &Path) -> Result<()> {
        let comment = format!("comment=recorder {number}");
        ffmpeg(|command| {
            command
                .arg("-i")
                .arg(film)
                .args(["-c", "copy", "-metadata", &comment, "-f", "mp4"])
                .arg(to);
        })
    }

    fn made(&self, name: &str, make: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
        let path = self.dir.join(name);
        if !path.exists() {
            let part = self.dir.join(format!("{name}.part"));
            make(&part)?;
            std::fs::rename(&part, &path)?;
        }
        Ok(path)
    }
}

fn encode(codec: &[&str], seconds: u32, to: &Path) -> Result<()> {
    ffmpeg(|command| {
        command
            .args([
                "-f",
                "lavfi",
                "-i",
                &format!("testsrc2=size=1920x1080:rate=25:duration={seconds}"),
            ])
            .args([
                "-f",
                "lavfi",
                "-i",
                &format!("sine=frequency=440:duration={seconds}"),
            ])
            .args(codec)
            .args(["-preset", "ultrafast", "-g", "50", "-pix_fmt", "yuv420p"])
            .args([
                "-b:v", "4300k", "-minrate", "4300k", "-maxrate", "4300k", "-bufsize", "4300k",
            ])
            .args(["-c:a", "aac", "-b:a", "128k", "-ac", "1", "-f", "mp4"])
            .arg(to);
    })
}

fn copy(before: &[&str], from: &Path, after: &[&str], to: &Path) -> Result<()> {
    ffmpeg(|command| {
        command
            .args(before)
            .arg("-i")
            .arg(from)
            .args(["-c", "copy"])
            .args(after)
            .args(["-f", "mp4"])
            .arg(to);
    })
}

fn ffmpeg(arguments: impl FnOnce(&mut Command)) -> Result<()> {
    let mut command = Command::new("ffmpeg");
    command
        .args(["-nostdin", "-loglevel", "error", "-y"])
        .stdin(Stdio::null());
    arguments(&mut command);
    if !command.status().context("ffmpeg")?.success() {
        bail!("ffmpeg failed");
    }
    Ok(())
}

/// Decodes the first picture of an init segment and the media that follows it.
pub(crate) fn first_picture(init: &[u8], segment: &[u8]) -> Result<()> {
    use std::io::Write;
    let mut child = Command::new("ffmpeg")
        .args([
            "-nostdin",
            "-loglevel",
            "error",
            "-i",
            "pipe:0",
            "-frames:v",
            "1",
            "-f",
            "null",
            "-",
        ])
        .stdin(Stdio::piped())
        .spawn()
        .context("ffmpeg")?;
    let mut input = child.stdin.take().context("its input")?;
    // It stops reading once it has its picture.
    let _ = input
        .write_all(init)
        .and_then(|()| input.write_all(segment));
    drop(input);
    if !child.wait()?.success() {
        bail!("no picture came out of the first segment");
    }
    Ok(())
}
