import type { BayState } from '../api/types';
import type { IconName } from '../parts/Icon.svelte';

export const BAY_ICONS: Record<BayState, IconName> = {
  empty: 'empty',
  reading: 'read',
  uploading: 'up',
  verified: 'shield',
  may_be_taken: 'check',
  fault: 'warn',
};
