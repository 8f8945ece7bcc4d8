//! PyChat's driver.

use wharf_core::Door;
use wharf_server::gateway::{GatewayConfig, GatewayName};
use wharf_wire::gateway::pychat::Request;

use super::{Driver, Outcome, Secret, World};
use crate::gateway::pychat::{PyChat, Stays};
use crate::server::Setup;

/// A client of PyChat, and of its friend's number.
pub struct PyChatDriver {
    me: PyChat,
    friend: PyChat,
    command: Option<Stays>,
    chat: Option<Stays>,
}

impl PyChatDriver {
    async fn chat(&mut self) -> &mut Stays {
        if self.chat.is_none() {
            self.chat = Some(self.me.chat(&self.friend).await);
        }
        self.chat.as_mut().expect("a chat")
    }
}

impl Driver for PyChatDriver {
    const NAME: &'static str = "PyChat";
    const DOOR: Door = Door::PyChat;
    const NO_FILES: &'static str = "PyChat has the files of chats, no drive of one's own";
    const NO_READING: &'static str = "PyChat shows what is said as it is said, and no journal";

    fn prepare(setup: &mut Setup) {
        let mut config = GatewayConfig::of(GatewayName::PyChat);
        config.address.set_port(0);
        setup.server.gateways.pychat = Some(config);
    }

    async fn open(world: &World<'_>) -> Self {
        let address = world.server.gateway(GatewayName::PyChat);
        let me = PyChat::of(address, &world.me, &world.http).await;
        let parsed = address.parse().expect("an address");
        let friend = PyChat::new(parsed, world.friend.account.number, "");
        assert_ne!(me.log_in().await, "LOGIN FAIL");
        Self {
            me,
            friend,
            command: None,
            chat: None,
        }
    }

    async fn get_secret(&mut self, secret: &Secret) -> Outcome<Vec<u8>> {
        let bytes = self.me.download(&secret.path).await;
        if bytes.is_empty() {
            return Outcome::Refused(None);
        }
        Outcome::Done(bytes)
    }

    async fn say(&mut self, text: &str) -> Outcome {
        let message = self.me.message(&self.friend, text);
        let chat = self.chat().await;
        chat.say(&message).await;
        // The friend is away, and it says so once the message is kept.
        let answer = chat.text().await;
        if answer.ends_with("处于离线状态!") {
            Outcome::Done(())
        } else {
            Outcome::Refused(None)
        }
    }

    async fn listen(&mut self) -> Outcome {
        let who = self.me.me;
        self.command = Some(self.me.stay(&Request::CommandSocket { who }).await);
        self.chat().await;
        Outcome::Done(())
    }

    async fn hear(&mut self) -> Outcome<String> {
        Outcome::Done(self.chat().await.text().await)
    }

    async fn leave(&mut self) -> Outcome {
        self.chat = None;
        self.command = None;
        self.me.down().await;
        self.me.settle().await;
        Outcome::Done(())
    }

    async fn missed(&mut self) -> Outcome<Vec<String>> {
        assert_ne!(self.me.log_in().await, "LOGIN FAIL");
        let left = self.me.left().await;
        let texts = left.split('|').skip(2).step_by(2);
        Outcome::Done(texts.map(str::to_owned).collect())
    }

    async fn hand_over(&mut self, name: &str, bytes: &[u8]) -> Outcome {
        self.me.upload(&self.friend, name, bytes).await;
        Outcome::Done(())
    }

    async fn write(&mut self, text: &str) -> Outcome {
        let mut own = self.me.chat(&self.me).await;
        own.say(&self.me.message(&self.me, text)).await;
        assert_eq!(own.text().await, text);
        Outcome::Done(())
    }
}
