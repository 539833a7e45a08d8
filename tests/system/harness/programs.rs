//! Where the programs are, and running one to its end.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

/// A program of this workspace, built beside the daemon.
pub fn built(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_docketd")).with_file_name(name);
    assert!(
        path.exists(),
        "{} is not built: `cargo build --workspace --bins`",
        path.display()
    );
    path
}

/// A path in the checkout.
pub fn checkout(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// What a program that ran to its end said.
#[derive(Debug)]
pub struct Said {
    /// Its exit status; `None` when a signal ended it.
    pub status: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Said {
    /// Itself, after checking that the program succeeded.
    #[track_caller]
    pub fn succeeded(self) -> Self {
        assert_eq!(self.status, Some(0), "{}\n{}", self.out, self.err);
        self
    }

    /// The last line of standard output.
    #[track_caller]
    pub fn last_line(&self) -> &str {
        self.out.lines().last().expect("it printed nothing").trim()
    }
}

/// Runs a program to its end.
pub async fn run(command: Command, input: &str) -> Said {
    run_within(command, input, super::PATIENCE).await
}

/// Runs a program that may take so long to its end.
pub async fn run_within(mut command: Command, input: &str, patience: Duration) -> Said {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("piped");
    // A program that never reads its input closes it: not this test's concern.
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    let out = tokio::spawn(read(child.stdout.take()));
    let err = tokio::spawn(read(child.stderr.take()));
    let status = tokio::time::timeout(patience, child.wait()).await;
    if status.is_err() {
        child.kill().await.expect("killed");
    }
    let (out, err) = (out.await.expect("read"), err.await.expect("read"));
    let Ok(status) = status else {
        panic!("the program does not end:\n{out}\n{err}");
    };
    Said {
        status: status.expect("waited").code(),
        out,
        err,
    }
}

/// Everything a pipe gives, read meanwhile so that it never fills.
async fn read(pipe: Option<impl AsyncRead + Unpin + Send + 'static>) -> String {
    let mut pipe = pipe.expect("piped");
    let mut bytes = Vec::new();
    let _ = pipe.read_to_end(&mut bytes).await;
    String::from_utf8_lossy(&bytes).into_owned()
}
