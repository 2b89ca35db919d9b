/** A machine of named states: which moves are legal in each is data, and nothing else changes the state. */

/** For each state its legal moves, and where they lead. */
export type Table<State extends string, Move extends string> = {
  readonly [S in State]: { readonly [M in Move]?: State };
};

export class Machine<State extends string, Move extends string> {
  private now: State;

  /** @param onMove hears each legal move after it was made, those that stay in a state too. */
  constructor(
    private readonly table: Table<State, Move>,
    start: State,
    private readonly onMove: (move: Move, before: State) => void = () => {},
  ) {
    this.now = start;
  }

  get state(): State {
    return this.now;
  }

  can(move: Move): boolean {
    return this.table[this.now][move] !== undefined;
  }

  /** Makes `move` where it is legal. @returns whether it was. */
  try(move: Move): boolean {
    const next = this.table[this.now][move];
    if (next === undefined) return false;
    const before = this.now;
    this.now = next;
    this.onMove(move, before);
    return true;
  }

  /** @throws Error where `move` is not legal: a mistake of ours. */
  move(move: Move): void {
    if (!this.try(move)) throw new Error(`"${move}" is not a move of the state "${this.now}"`);
  }
}
