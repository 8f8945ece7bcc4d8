//! Rooms, who is in them, and the ways in.

use http::Method;
use wharf_types::api::drive::Node;
use wharf_types::api::room::{
    AccountChanges, CreateLink, CreateRoom, EditPreferences, EditRoom, InviteToRoom, JoinRoom,
    Room, RoomInvitation, RoomLink, RoomLinks, RoomMembers, Rooms, SaveToDrive, SetRole,
};
use wharf_types::{AccountId, RoomId};

use super::{Api, ApiError, Room as Named};

impl Api {
    /// The caller's rooms: pinned ones first, then by their last entry.
    pub async fn rooms(&self) -> Result<Rooms, ApiError> {
        self.get(&["rooms"], &[]).await
    }

    /// One room.
    pub async fn room(&self, room: Named) -> Result<Room, ApiError> {
        self.get(&["rooms", &room.to_string()], &[]).await
    }

    /// What changed of the account's own list past a version; from 0, all of it.
    pub async fn account_changes(&self, after: u64) -> Result<AccountChanges, ApiError> {
        self.get(&["list"], &[("after", Some(&after.to_string()))])
            .await
    }

    /// Makes a group. With an id of the client's, making it again makes it once.
    pub async fn create_room(&self, create: &CreateRoom) -> Result<Room, ApiError> {
        let call = self
            .request(Method::POST, &["rooms"], &[])
            .with_json(create)?;
        self.json(if create.id.is_some() {
            call
        } else {
            call.once()
        })
        .await
    }

    /// Changes a room.
    pub async fn edit_room(&self, room: Named, edit: &EditRoom) -> Result<Room, ApiError> {
        self.json(
            self.request(Method::PATCH, &["rooms", &room.to_string()], &[])
                .with_json(edit)?,
        )
        .await
    }

    /// Changes what the caller set for a room.
    pub async fn edit_preferences(
        &self,
        room: Named,
        edit: &EditPreferences,
    ) -> Result<Room, ApiError> {
        self.json(
            self.request(
                Method::PATCH,
                &["rooms", &room.to_string(), "preferences"],
                &[],
            )
            .with_json(edit)?,
        )
        .await
    }

    /// Leaves a group.
    pub async fn leave_room(&self, room: Named) -> Result<(), ApiError> {
        self.done(self.request(Method::POST, &["rooms", &room.to_string(), "leave"], &[]))
            .await
    }

    /// The people of a room: members, then former ones.
    pub async fn members(&self, room: Named) -> Result<RoomMembers, ApiError> {
        self.get(&["rooms", &room.to_string(), "members"], &[])
            .await
    }

    /// Gives a member another role.
    pub async fn set_role(
        &self,
        room: Named,
        member: AccountId,
        role: &SetRole,
    ) -> Result<(), ApiError> {
        self.done(
            self.request(
                Method::PATCH,
                &["rooms", &room.to_string(), "members", &member.to_string()],
                &[],
            )
            .with_json(role)?,
        )
        .await
    }

    /// Removes a member.
    pub async fn remove_member(&self, room: Named, member: AccountId) -> Result<(), ApiError> {
        self.done(self.request(
            Method::DELETE,
            &["rooms", &room.to_string(), "members", &member.to_string()],
            &[],
        ))
        .await
    }

    /// Invites a contact into a group.
    pub async fn invite_to_room(&self, room: Named, invite: &InviteToRoom) -> Result<(), ApiError> {
        self.done(
            self.request(
                Method::POST,
                &["rooms", &room.to_string(), "invitations"],
                &[],
            )
            .with_json(invite)?,
        )
        .await
    }

    /// Takes an invitation into a group back.
    pub async fn withdraw_invitation(
        &self,
        room: Named,
        account: AccountId,
    ) -> Result<(), ApiError> {
        self.done(self.request(
            Method::DELETE,
            &[
                "rooms",
                &room.to_string(),
                "invitations",
                &account.to_string(),
            ],
            &[],
        ))
        .await
    }

    /// The invitations into groups that wait for the caller's word.
    pub async fn room_invitations(&self) -> Result<Vec<RoomInvitation>, ApiError> {
        self.get(&["room-invitations"], &[]).await
    }

    /// Enters a group that the caller was invited into.
    pub async fn accept_room_invitation(&self, room: RoomId) -> Result<Room, ApiError> {
        self.json(self.request(
            Method::POST,
            &["room-invitations", &room.to_string(), "accept"],
            &[],
        ))
        .await
    }

    /// Declines an invitation into a group.
    pub async fn decline_room_invitation(&self, room: RoomId) -> Result<(), ApiError> {
        self.done(self.request(
            Method::POST,
            &["room-invitations", &room.to_string(), "decline"],
            &[],
        ))
        .await
    }

    /// Makes a link into a group.
    pub async fn create_link(
        &self,
        room: Named,
        create: &CreateLink,
    ) -> Result<RoomLink, ApiError> {
        self.json(
            self.request(Method::POST, &["rooms", &room.to_string(), "links"], &[])
                .with_json(create)?
                .once(),
        )
        .await
    }

    /// The links into a group that still hold.
    pub async fn links(&self, room: Named) -> Result<RoomLinks, ApiError> {
        self.get(&["rooms", &room.to_string(), "links"], &[]).await
    }

    /// Ends a link.
    pub async fn remove_link(&self, room: Named, id: &str) -> Result<(), ApiError> {
        self.done(self.request(
            Method::DELETE,
            &["rooms", &room.to_string(), "links", id],
            &[],
        ))
        .await
    }

    /// What a link's code leads to.
    pub async fn look_at_link(&self, code: &str) -> Result<RoomInvitation, ApiError> {
        self.get(&["join"], &[("code", Some(code))]).await
    }

    /// Enters a group by a link's code.
    pub async fn join_room(&self, join: &JoinRoom) -> Result<Room, ApiError> {
        self.json(
            self.request(Method::POST, &["join"], &[])
                .with_json(join)?
                .once(),
        )
        .await
    }

    /// Copies a file of a room into the caller's own drive, without moving its bytes.
    pub async fn save_to_drive(&self, room: Named, save: &SaveToDrive) -> Result<Node, ApiError> {
        self.json(
            self.request(Method::POST, &["rooms", &room.to_string(), "save"], &[])
                .with_json(save)?,
        )
        .await
    }
}
