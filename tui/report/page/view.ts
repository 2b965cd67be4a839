/** The stretch of time that the lanes show, and the ticks of its axis. No drawing, no elements. */

/** ns. */
export interface View {
  readonly from: number;
  readonly to: number;
}

/** The narrowest view, ns. */
const NARROWEST = 10;

/** `factor` below 1 zooms in; `at` stays where it is. Never outside `whole`. */
export function zoomed(view: View, whole: View, at: number, factor: number): View {
  const span = Math.min(Math.max((view.to - view.from) * factor, NARROWEST), Math.max(whole.to - whole.from, NARROWEST));
  const share = (at - view.from) / Math.max(view.to - view.from, 1e-9);
  return within({ from: at - share * span, to: at + (1 - share) * span }, whole);
}

/** By a share of what is shown; below 0 back in time. */
export function panned(view: View, whole: View, share: number): View {
  const by = (view.to - view.from) * share;
  return within({ from: view.from + by, to: view.to + by }, whole);
}

/** With `time` in the middle. */
export function centred(view: View, whole: View, time: number, span: number): View {
  const width = Math.min(span, Math.max(view.to - view.from, NARROWEST));
  return within({ from: time - width / 2, to: time + width / 2 }, whole);
}

function within({ from, to }: View, whole: View): View {
  const span = Math.min(to - from, Math.max(whole.to - whole.from, NARROWEST));
  const begin = Math.min(Math.max(from, whole.from), Math.max(whole.to - span, whole.from));
  return { from: begin, to: begin + span };
}

/** Round times, at most `most` of them, and the step from one to the next. */
export function ticks({ from, to }: View, most: number): { times: number[]; step: number } {
  const rough = (to - from) / Math.max(most, 1);
  const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1)));
  const step = [1, 2, 5, 10].map((n) => n * power).find((size) => size >= rough) ?? 10 * power;
  const times: number[] = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) times.push(at);
  return { times, step };
}
