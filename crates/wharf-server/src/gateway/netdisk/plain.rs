//! The oldest generation, which knows no accounts: files go to and come from the drive that the operator named for it.

use std::time::Duration;

use bytes::Bytes;
use wharf_core::Caller;
use wharf_core::transfer::{Put, Upload};
use wharf_types::api::drive::{At, Expect};
use wharf_wire::gateway::netdisk::{Generation, Map, Request, Value, encode_answer};

use super::map::text;
use super::session::{Body, DOOR, NetdiskSession, ROOM};
use crate::gateway::protocol::{Out, Step};

/// The folder that is served without a login.
const FOLDER: &str = "netdisk-0";
/// How long nothing follows a download's header: clients take all that comes in one read for it.
const PAUSE: Duration = Duration::from_millis(50);

/// A file that is coming.
pub(super) struct Plain {
    upload: Option<Upload>,
}

impl Plain {
    /// Takes the next bytes, and puts the file at its end. The protocol has no answer, so a fault is for the log.
    pub(super) async fn take(
        mut self: Box<Self>,
        bytes: Bytes,
        is_last: bool,
    ) -> Option<Box<Self>> {
        if let Some(mut upload) = self.upload.take() {
            let taken = match upload.push(bytes).await {
                Ok(()) if is_last => upload.commit().await.map(|_| None),
                Ok(()) => Ok(Some(upload)),
                Err(error) => Err(error),
            };
            match taken {
                Ok(upload) => self.upload = upload,
                Err(error) => tracing::warn!(gateway = "netdisk", %error, "a file was not kept"),
            }
        }
        (!is_last).then_some(self)
    }
}

impl NetdiskSession {
    /// The protocol has no answer to it: where it is not served the file is read and dropped.
    pub(super) async fn plain_upload(&mut self, request: &Request) -> Step {
        let upload = match (self.nobody().await, text(request, "filename")) {
            (Some(caller), Ok(name)) => {
                let put = Put {
                    path: format!("{FOLDER}/{name}"),
                    expect: Expect::Any,
                    mtime_ns: None,
                    executable: false,
                };
                let opened = self.wharf.transfers().open_upload(&caller, ROOM, put).await;
                opened
                    .inspect_err(|error| {
                        tracing::warn!(gateway = "netdisk", %error, "a file was refused");
                    })
                    .ok()
            }
            _ => None,
        };
        self.body = Body::Plain(Box::new(Plain { upload }));
        Step::none()
    }

    pub(super) async fn plain_download(&mut self, request: &Request) -> Step {
        let content = match (self.nobody().await, text(request, "filename")) {
            (Some(caller), Ok(name)) => {
                let at = At::Path(format!("{FOLDER}/{name}"));
                self.wharf
                    .transfers()
                    .content(&caller, ROOM, at, None)
                    .await
                    .ok()
            }
            _ => None,
        };
        let Some(content) = content else {
            let fields = [
                ("error", Value::from(1)),
                ("msg", "file not found".into()),
                ("size", 0.into()),
            ];
            return Step::reply(answer(fields));
        };
        let header = Out::Alone {
            bytes: answer([("size", content.bytes.into())]),
            pause: PAUSE,
        };
        Step {
            out: vec![header, Out::Content(content.read(0..content.bytes))],
            is_last: false,
        }
    }

    /// Who acts for those who do not say who they are.
    async fn nobody(&self) -> Option<Caller> {
        let login = self.anonymous.as_deref()?;
        let accounts = self.wharf.accounts();
        let entered = accounts.enter_as_configured(DOOR, login, self.origin).await;
        entered
            .inspect_err(|error| tracing::warn!(gateway = "netdisk", %error, "no drive to serve"))
            .ok()
    }
}

fn answer<const N: usize>(fields: [(&str, Value); N]) -> Bytes {
    let fields = fields.map(|(key, value)| (key.to_owned(), value));
    encode_answer(Generation::Json, "", Map::from_iter(fields))
}
