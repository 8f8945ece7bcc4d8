//! Accounts, sessions, and the directory that a person's files are in.

use wharf_core::Caller;
use wharf_core::accounts::DoorSignup;
use wharf_types::ErrorCode;
use wharf_wire::gateway::netdisk::{Request, Value};

use super::map::{Answer, FAILED, Refusal, done, number, text};
use super::session::{DOOR, NetdiskSession};

/// The directories that there are.
const BINDS: std::ops::RangeInclusive<u64> = 1..=3;

impl NetdiskSession {
    pub(super) async fn signup(&self, request: &Request) -> Answer {
        let signup = DoorSignup {
            username: Some(text(request, "username")?.to_owned()),
            email: None,
            nickname: None,
            proof: text(request, "password")?.to_owned(),
        };
        let accounts = self.wharf.accounts();
        match accounts.signup_by_door(DOOR, signup, self.origin).await {
            Ok(_) => Ok(done("signup success")),
            Err(error) if error.code() == ErrorCode::Exists => {
                Err(Refusal::new(FAILED, "username has been registered"))
            }
            Err(error) => Err(Refusal::failed(&error)),
        }
    }

    /// An unknown name is answered like a wrong password: the original tells them apart.
    pub(super) async fn login(&self, request: &Request) -> Answer {
        let (username, password) = (text(request, "username")?, text(request, "password")?);
        let login = self.wharf.accounts();
        let login = login.login_by_app_password(DOOR, username, password, self.origin);
        match login.await {
            Ok(login) => {
                let mut fields = done("login success");
                fields.insert("session".to_owned(), login.ticket.into());
                Ok(fields)
            }
            Err(error) if error.code() == ErrorCode::Unauthenticated => {
                Err(Refusal::new(FAILED, "username password not match"))
            }
            Err(error) => Err(Refusal::failed(&error)),
        }
    }

    pub(super) async fn logout(&self, request: &Request) -> Answer {
        let caller = self.caller(request).await?;
        let ended = self.wharf.accounts().logout(&caller).await;
        ended.map_err(|error| Refusal::failed(&error))?;
        Ok(done("log out success"))
    }

    pub(super) async fn change_password(&self, request: &Request) -> Answer {
        let caller = self.caller(request).await?;
        let old = request.fields.get("oldpassword").and_then(Value::as_str);
        let new = text(request, "password")?;
        let accounts = self.wharf.accounts();
        let changed = accounts.change_app_password(&caller, DOOR, old, new).await;
        changed.map_err(|error| Refusal::failed(&error))?;
        Ok(done("change password success"))
    }

    pub(super) async fn getbindid(&self, request: &Request) -> Answer {
        let (bind, answer) = match self.caller(request).await {
            Ok(caller) => match self.bind_of(&caller).await? {
                Some(bind) => (Value::from(bind), Ok("get bindid success")),
                None => (0.into(), Err((FAILED, "get bindid failed".to_owned()))),
            },
            Err(Refusal::Number(number, text)) => ((-1).into(), Err((number, text))),
            Err(missing) => return Err(missing),
        };
        let mut fields = match answer {
            Ok(text) => done(text),
            Err((number, text)) => {
                let mut fields = done(&text);
                fields.insert("error".to_owned(), number.into());
                fields
            }
        };
        fields.insert("bindid".to_owned(), bind);
        Ok(fields)
    }

    pub(super) async fn setbind(&self, request: &Request) -> Answer {
        let bind = number(request, "bindid")?;
        let caller = self.caller(request).await?;
        if !BINDS.contains(&bind) {
            return Err(Refusal::new(FAILED, "bind failed"));
        }
        self.note(&caller, Some(bind)).await?;
        Ok(done("bind success"))
    }

    pub(super) async fn disbind(&self, request: &Request) -> Answer {
        let caller = self.caller(request).await?;
        self.note(&caller, None).await?;
        Ok(done("disbind success"))
    }

    async fn note(&self, caller: &Caller, bind: Option<u64>) -> Result<(), Refusal> {
        let note = bind.map(|bind| bind.to_string());
        let kept = self.wharf.accounts().set_door_note(caller, DOOR, note);
        kept.await.map_err(|error| Refusal::failed(&error))
    }

    async fn bind_of(&self, caller: &Caller) -> Result<Option<u64>, Refusal> {
        let note = self.wharf.accounts().door_note(caller, DOOR).await;
        let note = note.map_err(|error| Refusal::failed(&error))?;
        Ok(note.and_then(|note| note.parse().ok()))
    }

    /// The folder of the directory that the person chose.
    pub(super) async fn folder(&self, caller: &Caller) -> Result<String, Refusal> {
        let bind = self.bind_of(caller).await?.ok_or_else(Refusal::not_bound)?;
        Ok(folder_of(bind))
    }

    /// The same, for requests that know no directories: the first one where none was chosen.
    pub(super) async fn any_folder(&self, caller: &Caller) -> Result<String, Refusal> {
        Ok(folder_of(self.bind_of(caller).await?.unwrap_or(1)))
    }
}

/// The folder, in the root of a person's drive, that is a directory.
fn folder_of(bind: u64) -> String {
    format!("netdisk-{bind}")
}
