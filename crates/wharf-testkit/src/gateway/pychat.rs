//! Clients of PyChat: one that behaves as the published program does, which takes what one read gives it for one message.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use md5::{Digest, Md5};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use wharf_types::api::account::LoggedIn;
use wharf_wire::gateway::pychat::{
    LIST_BYTES_MAX, Number, PUSH_BYTES, Push, REPLY_BYTES_MAX, Request,
};

use crate::server::Http;

/// How long an answer may be in coming.
const PATIENCE: Duration = Duration::from_secs(20);

/// Somebody at the program.
#[derive(Debug, Clone)]
pub struct PyChat {
    address: SocketAddr,
    /// Their number.
    pub me: Number,
    /// What it sends for the password.
    pub password_md5: String,
}

/// A connection that stays open.
#[derive(Debug)]
pub struct Stays {
    stream: TcpStream,
}

impl PyChat {
    /// The program, started by somebody who has this password for the gateway.
    pub fn new(address: SocketAddr, me: u32, password_md5: &str) -> Self {
        Self {
            address,
            me: Number(me),
            password_md5: password_md5.to_owned(),
        }
    }

    /// The program of somebody with an account, who asks for a password for it first.
    ///
    /// # Panics
    /// If they get none.
    pub async fn of(address: &str, somebody: &LoggedIn, http: &Http) -> Self {
        let door = serde_json::json!({ "door": "pychat" });
        let made = http.post("/api/v1/account/app-passwords", &door).await;
        let made = made.expect(201).json();
        let password = made["password"].as_str().expect("a password");
        let address = address.parse().expect("an address");
        Self::new(address, somebody.account.number, &md5_hex(password))
    }

    /// A connection that stays open, on which the request is said first.
    ///
    /// # Panics
    /// If nobody listens.
    pub async fn stay(&self, request: &Request) -> Stays {
        let mut stays = self.silent().await;
        stays.say(request).await;
        stays
    }

    /// A connection that says nothing.
    ///
    /// # Panics
    /// If nobody listens.
    pub async fn silent(&self) -> Stays {
        let stream = TcpStream::connect(self.address).await;
        let stream = stream.expect("a connection");
        stream.set_nodelay(true).expect("an option");
        Stays { stream }
    }

    /// Asks on a connection of its own: one write, one read, and it is closed.
    pub async fn ask(&self, request: &Request) -> Vec<u8> {
        let mut stays = self.stay(request).await;
        let bytes_max = match request {
            Request::Friends { .. }
            | Request::Online { .. }
            | Request::OfflineMessages { .. }
            | Request::FileNames { .. } => LIST_BYTES_MAX,
            _ => REPLY_BYTES_MAX,
        };
        stays.read(bytes_max).await
    }

    /// As [`PyChat::ask`]; as text.
    ///
    /// # Panics
    /// If it is none.
    pub async fn ask_text(&self, request: &Request) -> String {
        String::from_utf8(self.ask(request).await).expect("text")
    }

    /// Says something that has no answer, closes, and waits until the server has done it and closed, too.
    pub async fn tell(&self, request: &Request) {
        let mut stays = self.stay(request).await;
        stays.stream.shutdown().await.expect("a connection");
        // What comes is for nobody.
        while !stays.read(REPLY_BYTES_MAX).await.is_empty() {}
    }

    /// Logs in; the answer.
    pub async fn log_in(&self) -> String {
        let password_md5 = self.password_md5.clone().into_bytes();
        self.ask_text(&Request::Login {
            who: self.me,
            password_md5,
        })
        .await
    }

    /// Logs in as the program does, with the connections that it opens, and gives the one for pushes.
    ///
    /// # Panics
    /// If it is not let in.
    pub async fn start(&self) -> (Stays, Stays) {
        assert_ne!(self.log_in().await, "LOGIN FAIL");
        let silent = self.silent().await;
        let friends = self.ask_text(&Request::Friends { who: self.me }).await;
        assert!(friends.starts_with("OK|"), "{friends}");
        let online = self.ask_text(&Request::Online { who: None }).await;
        assert!(online.starts_with("OK|"), "{online}");
        let command = self
            .stay_once_known(&Request::CommandSocket { who: self.me })
            .await;
        (command, silent)
    }

    /// A connection that stays open, once the server has taken in what was said on it: a question behind that has an answer.
    async fn stay_once_known(&self, request: &Request) -> Stays {
        let mut stays = self.silent().await;
        let question = Request::FileNames {
            who: self.me,
            friend: self.me,
        };
        let asked = [request.encode(), question.encode()].concat();
        stays.send(&asked).await;
        let mut answer = [0; 4];
        let read = timeout(PATIENCE, stays.stream.read_exact(&mut answer)).await;
        read.expect("an answer in time").expect("a connection");
        assert_eq!(&answer, b"NONE");
        stays
    }

    /// Waits until the server has worked off what was said without an answer: another question has one.
    pub async fn settle(&self) {
        sleep(Duration::from_millis(30)).await;
        self.ask(&Request::FileNames {
            who: self.me,
            friend: self.me,
        })
        .await;
    }

    /// The window of a chat with a friend.
    pub async fn chat(&self, friend: &Self) -> Stays {
        let who = self.me;
        let friend = friend.me;
        self.stay_once_known(&Request::NewSession { who, friend })
            .await
    }

    /// What is said in a chat.
    pub fn message(&self, friend: &Self, text: &str) -> Request {
        Request::Message {
            who: self.me,
            friend: friend.me,
            text: text.as_bytes().to_vec(),
        }
    }

    /// Hands a file over as the program does, in pieces of 200 bytes, each after the answer to the one before.
    pub async fn upload(&self, friend: &Self, name: &str, bytes: &[u8]) {
        let mut up = self.upload_begin(friend, name).await;
        for piece in bytes.chunks(200) {
            up.say(&piece_of(name, piece)).await;
            assert_eq!(up.text().await, "RECV_OK");
        }
        up.say(&self.upload_end(friend, name)).await;
        up.end().await;
    }

    /// Begins to hand a file over.
    pub async fn upload_begin(&self, friend: &Self, name: &str) -> Stays {
        let begin = Request::UploadBegin {
            who: self.me,
            friend: friend.me,
            name: name.as_bytes().to_vec(),
        };
        let mut up = self.stay(&begin).await;
        assert_eq!(up.text().await, "RECV_NOTICE");
        up
    }

    /// What ends a file.
    pub fn upload_end(&self, friend: &Self, name: &str) -> Request {
        Request::UploadEnd {
            who: self.me,
            friend: friend.me,
            name: name.as_bytes().to_vec(),
        }
    }

    /// Fetches a file, asking again and again for what comes next.
    pub async fn download(&self, name: &str) -> Vec<u8> {
        let mut down = self.silent().await;
        let mut bytes = Vec::new();
        loop {
            down.say(&Request::Download {
                name: name.as_bytes().to_vec(),
                offset_bytes: bytes.len() as u64,
            })
            .await;
            let piece = down.read(REPLY_BYTES_MAX).await;
            if piece == b"FILE_END\r\n" {
                return bytes;
            }
            assert!(!piece.is_empty(), "the connection was closed");
            bytes.extend(piece);
        }
    }

    /// The names of the files that were handed over in a chat.
    pub async fn files(&self, friend: &Self) -> String {
        self.ask_text(&Request::FileNames {
            who: self.me,
            friend: friend.me,
        })
        .await
    }

    /// The messages that were left.
    pub async fn left(&self) -> String {
        self.ask_text(&Request::OfflineMessages { who: self.me })
            .await
    }

    /// Goes.
    pub async fn down(&self) {
        self.tell(&Request::Down { who: self.me }).await;
    }
}

impl Stays {
    /// Says a request.
    ///
    /// # Panics
    /// If the connection has ended.
    pub async fn say(&mut self, request: &Request) {
        self.send(&request.encode()).await;
    }

    /// Sends bytes.
    ///
    /// # Panics
    /// If the connection has ended.
    pub async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("a connection");
    }

    /// What one read gives, `bytes_max` at most; nothing once the server has closed.
    ///
    /// # Panics
    /// If nothing comes.
    pub async fn read(&mut self, bytes_max: usize) -> Vec<u8> {
        let mut bytes = vec![0; bytes_max];
        let read = timeout(PATIENCE, self.stream.read(&mut bytes)).await;
        let count = read.expect("an answer in time").unwrap_or(0);
        bytes.truncate(count);
        bytes
    }

    /// What one read gives, as text.
    ///
    /// # Panics
    /// If it is none.
    pub async fn text(&mut self) -> String {
        String::from_utf8(self.read(REPLY_BYTES_MAX).await).expect("text")
    }

    /// The next push: what one read gives is exactly one.
    ///
    /// # Panics
    /// If it is anything else.
    pub async fn push(&mut self) -> Push {
        let bytes = self.read(REPLY_BYTES_MAX).await;
        let record: [u8; PUSH_BYTES] = bytes.try_into().expect("one record in one read");
        Push::decode(&record).expect("a push")
    }

    /// Whether nothing comes for `time`.
    pub async fn is_silent_for(&mut self, time: Duration) -> bool {
        let mut bytes = [0; 1];
        timeout(time, self.stream.peek(&mut bytes)).await.is_err()
    }

    /// Closes, and waits until the server has done what was asked and closed, too.
    ///
    /// # Panics
    /// If it says anything more.
    pub async fn end(mut self) {
        self.stream.shutdown().await.expect("a connection");
        assert!(self.read(1).await.is_empty(), "nothing more was asked");
    }

    /// Closes with a reset, as the system does for a program that died with unread bytes.
    ///
    /// # Panics
    /// If the system refuses it.
    pub fn reset(self) {
        let socket = socket2::SockRef::from(&self.stream);
        socket.set_linger(Some(Duration::ZERO)).expect("an option");
    }

    /// The bare connection.
    pub fn into_inner(self) -> TcpStream {
        self.stream
    }
}

/// A piece of a file.
pub fn piece_of(name: &str, bytes: &[u8]) -> Request {
    Request::UploadPiece {
        name: name.as_bytes().to_vec(),
        data: bytes.to_vec(),
    }
}

/// What the program sends for a password.
pub fn md5_hex(password: &str) -> String {
    let digest = Bytes::copy_from_slice(&Md5::digest(password.as_bytes()));
    format!("{digest:x}")
}
