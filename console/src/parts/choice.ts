/** One entry of a register, as it is shown and typed. */
export interface Choice {
  id: string;
  label: string;
}
