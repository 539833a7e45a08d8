import { api } from './api/client';
import type { Officer, Recorder, Unit } from './api/types';
import { Fetched } from './fetched.svelte';
import type { Choice } from './parts/choice';
import { unitTree } from './screens/units';

/** Units, officers and recorders: fetched when first needed, kept while someone is signed in. */
class Registers {
  units = new Fetched<Unit[]>();
  officers = new Fetched<Officer[]>();
  recorders = new Fetched<Recorder[]>();

  want() {
    if (!this.units.data && !this.units.loading) void this.units.load(api.units);
    if (!this.officers.data && !this.officers.loading) void this.officers.load(api.officers);
    if (!this.recorders.data && !this.recorders.loading) void this.recorders.load(api.recorders);
  }

  forget() {
    this.units.clear();
    this.officers.clear();
    this.recorders.clear();
  }

  get unitChoices(): Choice[] {
    return unitTree(this.units.data ?? []);
  }

  get officerChoices(): Choice[] {
    return (this.officers.data ?? []).map((it) => ({ id: it.id, label: `${it.name} · ${it.certificate_number}` }));
  }

  get recorderChoices(): Choice[] {
    return (this.recorders.data ?? []).map((it) => ({ id: it.id, label: it.model ? `${it.serial} · ${it.model}` : it.serial }));
  }
}

export const registers = new Registers();
