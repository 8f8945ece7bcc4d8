//! Search, journals, and the archive of an account.

use http::Method;
use wharf_types::ImportId;
use wharf_types::api::diary::{
    DaysQuery, DiaryDays, DiaryFormat, DiaryOrigins, DiaryPage, DiaryQuery, DiaryTags, DiaryText,
};
use wharf_types::api::portage::{ExportPage, ExportQuery, ImportBatch, ImportProgress};
use wharf_types::api::search::{Found, SearchQuery};

use super::{Api, ApiError, Room, number};

impl Api {
    /// A page of what was found.
    pub async fn search(&self, query: &SearchQuery) -> Result<Found, ApiError> {
        self.get(
            &["search"],
            &[
                ("q", Some(&query.q)),
                ("room", number(query.room).as_deref()),
                ("zone", query.zone.as_deref()),
                ("after", query.after.as_deref()),
                ("limit", number(query.limit).as_deref()),
            ],
        )
        .await
    }

    /// A page of a journal.
    pub async fn diary(&self, room: Room, query: &DiaryQuery) -> Result<DiaryPage, ApiError> {
        self.diary_query(&["rooms", &room.to_string(), "diary"], query)
            .await
    }

    /// A part of a journal, written out.
    pub async fn diary_text(
        &self,
        room: Room,
        query: &DiaryQuery,
        format: DiaryFormat,
    ) -> Result<DiaryText, ApiError> {
        let format = match format {
            DiaryFormat::Markdown => "markdown",
            DiaryFormat::JsonLines => "json_lines",
        };
        self.diary_query(
            &["rooms", &room.to_string(), "diary", "export", format],
            query,
        )
        .await
    }

    async fn diary_query<T: serde::de::DeserializeOwned>(
        &self,
        path: &[&str],
        query: &DiaryQuery,
    ) -> Result<T, ApiError> {
        self.get(
            path,
            &[
                ("from", query.from.as_deref()),
                ("to", query.to.as_deref()),
                ("day_of_year", query.day_of_year.as_deref()),
                ("zone", query.zone.as_deref()),
                ("tag", query.tag.as_deref()),
                ("origin", query.origin.as_deref()),
                ("key", query.key.as_deref()),
                ("after", number(query.after).as_deref()),
                ("limit", number(query.limit).as_deref()),
                ("newest_first", query.newest_first.then_some("true")),
            ],
        )
        .await
    }

    /// The days of a span that have entries.
    pub async fn diary_days(&self, room: Room, query: &DaysQuery) -> Result<DiaryDays, ApiError> {
        self.get(
            &["rooms", &room.to_string(), "diary", "days"],
            &[
                ("from", Some(&query.from)),
                ("to", Some(&query.to)),
                ("zone", query.zone.as_deref()),
            ],
        )
        .await
    }

    /// The tags of a journal, the most used ones first.
    pub async fn diary_tags(&self, room: Room) -> Result<DiaryTags, ApiError> {
        self.get(&["rooms", &room.to_string(), "diary", "tags"], &[])
            .await
    }

    /// The places that the caller's entries came from, the most used ones first.
    pub async fn diary_origins(&self, room: Room) -> Result<DiaryOrigins, ApiError> {
        self.get(&["rooms", &room.to_string(), "diary", "origins"], &[])
            .await
    }

    /// Some records of the caller's archive.
    pub async fn export(&self, query: &ExportQuery) -> Result<ExportPage, ApiError> {
        self.get(&["export"], &[("after", query.after.as_deref())])
            .await
    }

    /// Brings in a batch of an archive. It may be repeated: the import and its number name it.
    pub async fn import(&self, batch: &ImportBatch) -> Result<ImportProgress, ApiError> {
        self.json(
            self.request(Method::POST, &["import"], &[])
                .with_json(batch)?,
        )
        .await
    }

    /// How far an import has come.
    pub async fn import_progress(&self, import: ImportId) -> Result<ImportProgress, ApiError> {
        self.get(&["import", &import.to_string()], &[]).await
    }
}
