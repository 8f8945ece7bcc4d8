//! Webhooks of rooms.

use http::Method;
use wharf_types::HookId;
use wharf_types::api::hook::{CreateHook, EditHook, Hook, Hooks};

use super::{Api, ApiError, Room};

impl Api {
    /// The webhooks of a room.
    pub async fn hooks(&self, room: Room) -> Result<Hooks, ApiError> {
        self.get(&["rooms", &room.to_string(), "hooks"], &[]).await
    }

    /// Makes a webhook.
    pub async fn create_hook(&self, room: Room, create: &CreateHook) -> Result<Hook, ApiError> {
        self.json(
            self.request(Method::POST, &["rooms", &room.to_string(), "hooks"], &[])
                .with_json(create)?
                .once(),
        )
        .await
    }

    /// Changes a webhook.
    pub async fn edit_hook(
        &self,
        room: Room,
        id: HookId,
        edit: &EditHook,
    ) -> Result<Hook, ApiError> {
        self.json(
            self.request(
                Method::PATCH,
                &["rooms", &room.to_string(), "hooks", &id.to_string()],
                &[],
            )
            .with_json(edit)?,
        )
        .await
    }

    /// Ends a webhook.
    pub async fn remove_hook(&self, room: Room, id: HookId) -> Result<(), ApiError> {
        self.done(self.request(
            Method::DELETE,
            &["rooms", &room.to_string(), "hooks", &id.to_string()],
            &[],
        ))
        .await
    }
}
