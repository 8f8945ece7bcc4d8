//! Where an operator's command is carried out: at the running server, or on its data while it is stopped.

use std::path::PathBuf;

use wharf_client::Api;
use wharf_core::{Caller, InternalRole, Wharf};
use wharf_types::AccountId;
use wharf_types::api::account::{
    Account, Accounts, AddAccount, AddedAccount, CreateInvitation, EditAccount, Invitation,
};

use crate::config::database::DatabaseUrl;
use crate::config::server::DataArgs;
use crate::context::Context;
use crate::data::{self, DataFolder, Unfinished};
use crate::session::Session;

/// Flags that lead past the server.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct OfficeArgs {
    /// Work on this data folder directly, while no server runs on it
    // No variable: with WHARF_DATA set for a server, these commands are still to go through it.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// With --data: the database, where it is not in the data folder
    #[arg(long, value_name = "URL", requires = "data")]
    database: Option<DatabaseUrl>,
}

/// The operator's hands.
pub(super) enum Office {
    /// Through the server, as the operator who is logged in.
    Server(Api),
    /// On the data itself.
    Data {
        wharf: Box<Wharf>,
        /// Keeps servers away meanwhile.
        _folder: DataFolder,
    },
}

impl OfficeArgs {
    /// Opens one or the other.
    pub(super) async fn open(self, context: &Context) -> anyhow::Result<Office> {
        if self.data.is_none() {
            return Ok(Office::Server(Session::open(context).await?.api));
        }
        let args = DataArgs {
            data: self.data,
            database: self.database,
        };
        let settings = context.data_settings(&args)?;
        data::must_be_there(&settings)?;
        let folder = DataFolder::take(&settings.data, Unfinished::Refuse)?;
        let wharf =
            Box::new(data::open_house(&settings, wharf_core::HouseConfig::default()).await?);
        Ok(Office::Data {
            wharf,
            _folder: folder,
        })
    }
}

/// Whoever may open the data folder may do what an operator may.
fn console() -> Caller {
    Caller::internal(InternalRole::Console)
}

impl Office {
    pub(super) async fn add(&self, request: AddAccount) -> anyhow::Result<AddedAccount> {
        match self {
            Self::Server(api) => Ok(api.admin_add_account(&request).await?),
            Self::Data { wharf, .. } => {
                Ok(wharf.accounts().admin(&console())?.add(request).await?)
            }
        }
    }

    pub(super) async fn list(&self, after: Option<u32>) -> anyhow::Result<Accounts> {
        match self {
            Self::Server(api) => Ok(api.admin_accounts(after, None).await?),
            Self::Data { wharf, .. } => Ok(wharf
                .accounts()
                .admin(&console())?
                .list(after, None)
                .await?),
        }
    }

    pub(super) async fn find(&self, login: &str) -> anyhow::Result<Account> {
        match self {
            Self::Server(api) => Ok(api.admin_account(login).await?),
            Self::Data { wharf, .. } => Ok(wharf.accounts().admin(&console())?.find(login).await?),
        }
    }

    pub(super) async fn edit(
        &self,
        id: AccountId,
        request: EditAccount,
    ) -> anyhow::Result<AddedAccount> {
        match self {
            Self::Server(api) => Ok(api.admin_edit_account(id, &request).await?),
            Self::Data { wharf, .. } => Ok(wharf
                .accounts()
                .admin(&console())?
                .edit(id, request)
                .await?),
        }
    }

    pub(super) async fn invite(&self, request: CreateInvitation) -> anyhow::Result<Invitation> {
        match self {
            Self::Server(api) => Ok(api.create_invitation(&request).await?),
            Self::Data { wharf, .. } => Ok(wharf
                .accounts()
                .admin(&console())?
                .create_invitation(request)
                .await?),
        }
    }

    pub(super) async fn invitations(&self) -> anyhow::Result<Vec<Invitation>> {
        match self {
            Self::Server(api) => Ok(api.invitations().await?),
            Self::Data { wharf, .. } => {
                Ok(wharf.accounts().admin(&console())?.invitations().await?)
            }
        }
    }

    pub(super) async fn end_invitation(&self, id: &str) -> anyhow::Result<()> {
        match self {
            Self::Server(api) => Ok(api.end_invitation(id).await?),
            Self::Data { wharf, .. } => Ok(wharf
                .accounts()
                .admin(&console())?
                .end_invitation(id)
                .await?),
        }
    }
}
