//! Stations: known by their token, named by themselves.

use docket_base::ids::{RegisterId, StationId, TokenId, UnitId};
use docket_catalog::{Error as CatalogError, Station};
use docket_ledger::register::StationRow;
use docket_ledger::{Actor, RegisterValue, Subject, kinds};

use crate::text::{Limit, version_number};
use crate::{Ingest, Result};

/// What a station says of itself.
#[derive(Debug, Clone)]
pub struct StationReport {
    /// Its name.
    pub name: String,
    /// Version of its program.
    pub software_version: String,
    /// Its bays, JSON.
    pub status: String,
}

impl Ingest {
    /// Notes what a station says. The first report of a token makes it a station; a new name is logged, the rest
    /// is no evidence.
    ///
    /// # Errors
    /// Refused without a name.
    pub async fn station_reports(
        &self,
        token: TokenId,
        unit: UnitId,
        report: StationReport,
    ) -> Result<Station> {
        let name = Limit::NAME.require("name", &report.name)?;
        let software = Limit::NAME.check("version", report.software_version)?;
        let station = match self.catalog.station_of_token(token).await? {
            None => self.enter_station(token, unit, &name).await?,
            Some(station) if station.name != name || station.unit_id != unit => {
                self.rename_station(Station {
                    name,
                    unit_id: unit,
                    ..station
                })
                .await?
            }
            Some(station) => station,
        };
        let now = self.clock.now();
        self.catalog
            .station_heard(station.id, &software, &report.status, now)
            .await?;
        Ok(Station {
            software_version: software,
            status: report.status,
            last_seen_at: Some(now),
            ..station
        })
    }

    /// The station of a token; one that hasn't reported yet is entered under its token's name.
    ///
    /// # Errors
    /// The catalog's and the vault's.
    pub async fn station_of(&self, token: TokenId, unit: UnitId) -> Result<Station> {
        if let Some(station) = self.catalog.station_of_token(token).await? {
            return Ok(station);
        }
        let name = self.catalog.token(token).await?.map(|token| token.name);
        self.enter_station(token, unit, &name.unwrap_or_else(|| token.to_string()))
            .await
    }

    async fn enter_station(&self, token: TokenId, unit: UnitId, name: &str) -> Result<Station> {
        let station = Station {
            id: StationId::fresh(&*self.clock, &*self.random),
            name: name.to_owned(),
            unit_id: unit,
            token_id: Some(token),
            software_version: String::new(),
            status: "[]".to_owned(),
            last_seen_at: None,
            version: 1,
            created_at: self.clock.now(),
        };
        let register = self
            .put_register(row_of(station.id), 1, row(&station))
            .await?;
        let mut change = self.catalog.change().await?;
        match change.add_station(&station).await {
            Ok(()) => {}
            // Two first reports at once: the other one entered it.
            Err(CatalogError::Taken(_)) => {
                drop(change);
                let known = self.catalog.station_of_token(token).await?;
                return known
                    .ok_or_else(|| crate::IngestError::not_found("station of token", token));
            }
            Err(error) => return Err(error.into()),
        }
        let body = kinds::StationSeen {
            token: Some(token),
            register,
        };
        let event = self.event(
            Actor::Token(token),
            Some(unit),
            Subject::station(station.id),
            body,
        )?;
        self.commit(change, &[event]).await?;
        Ok(station)
    }

    async fn rename_station(&self, station: Station) -> Result<Station> {
        let version = version_number(station.version + 1)?;
        let register = self
            .put_register(row_of(station.id), version, row(&station))
            .await?;
        let mut change = self.catalog.change().await?;
        let after = change.update_station(&station).await?;
        let body = kinds::StationSeen {
            token: station.token_id,
            register,
        };
        let event = self.event(
            Actor::Station(station.id),
            Some(after.unit_id),
            Subject::station(station.id),
            body,
        )?;
        self.commit(change, &[event]).await?;
        Ok(after)
    }
}

fn row_of(station: StationId) -> RegisterId {
    RegisterId::from_bytes(*station.as_bytes())
}

fn row(station: &Station) -> RegisterValue {
    RegisterValue::Station(StationRow {
        name: station.name.clone(),
        unit: station.unit_id,
    })
}
