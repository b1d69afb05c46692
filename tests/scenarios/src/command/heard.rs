//! A stream of a process, read as it comes.

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::sync::watch;

/// What a process has written so far.
#[derive(Clone, Debug)]
pub struct Heard(watch::Receiver<Vec<u8>>);

impl Heard {
    pub(super) fn listen(mut stream: impl AsyncRead + Send + Unpin + 'static) -> Self {
        let (sender, receiver) = watch::channel(Vec::new());
        tokio::spawn(async move {
            let mut buffer = vec![0; 8192];
            while let Ok(count @ 1..) = stream.read(&mut buffer).await {
                sender.send_modify(|heard| heard.extend_from_slice(&buffer[..count]));
            }
        });
        Self(receiver)
    }

    /// All of it.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.borrow()).into_owned()
    }

    /// Completes once `wanted` is in it; never, if it does not come.
    pub async fn says(self, wanted: &str) {
        if !self.until(|text| text.contains(wanted)).await {
            std::future::pending().await
        }
    }

    /// Completes once `wanted` is in it so many `times`; never, if it does not come to that.
    pub async fn says_often(self, wanted: &str, times: usize) {
        if !self.until(|text| text.matches(wanted).count() >= times).await {
            std::future::pending().await
        }
    }

    /// Whether `wanted` came to be in it, before its process ended.
    pub async fn said(self, wanted: &str) -> bool {
        self.until(|text| text.contains(wanted)).await
    }

    /// Whether it came to be `wanted`, before the stream was closed.
    pub(crate) async fn until(&self, wanted: impl Fn(&str) -> bool) -> bool {
        self.0.clone().wait_for(|bytes| wanted(&String::from_utf8_lossy(bytes))).await.is_ok()
    }

    pub(super) async fn until_closed(&self) {
        self.until(|_| false).await;
    }
}
