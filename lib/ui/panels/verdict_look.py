"""The style of the verdict panel. Sizes and colours are those of ``lib.ui.frame.look``."""

from __future__ import annotations

STYLE = """<style>
.st-key-verdict { position: relative; gap: 0; padding: 0; border: 1px solid var(--line); border-radius: 8px; }
.st-key-verdict .verdict { display: grid; grid-template-columns: minmax(0, 1fr) 464px; color: var(--text);
  font-size: var(--size-text); line-height: 19px; font-variant-numeric: tabular-nums; }
.verdict .says { padding: 8px 16px 6px; min-width: 0; }
.st-key-verdict .verdict h2 { margin: 0; padding: 0; font-size: var(--size-headline); line-height: 30px;
  font-weight: 700; letter-spacing: -.2px; color: var(--text); overflow-wrap: anywhere; text-wrap: balance; }
.verdict h2 span[data-run] { display: inline-block; max-width: 100%; }
.verdict h2 .run-mark { width: 13px; height: 13px; margin: 0 5px 0 3px; }
.verdict b.slot-0 { color: var(--run-0); }
.verdict b.slot-1 { color: var(--run-1); }
.verdict b.slot-2 { color: var(--run-2); }
.verdict b.slot-3 { color: var(--run-3); }
.verdict b.slot-4 { color: var(--run-4); }
.verdict .how-sure { display: flex; flex-wrap: wrap; align-items: center; gap: 0 8px; }
.verdict .checkpoint { font-size: var(--size-title); line-height: 22px; font-weight: 600; overflow-wrap: anywhere; }
.verdict .because { font-size: var(--size-small); line-height: 18px; color: var(--muted); }
.verdict .badge { padding: 0 8px; border-radius: 10px; font-size: var(--size-caption); line-height: 20px;
  font-weight: 600; white-space: nowrap; }
.verdict .badge.good { color: var(--good); background: var(--good-ground); }
.verdict .badge.warn { color: var(--warn); background: var(--warn-ground); }
.verdict .badge.info { color: var(--info); background: var(--info-ground); }
.verdict .badge.bad { color: var(--bad); background: var(--bad-ground); }
.verdict dl { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 3px 12px; margin: 5px 0 0; padding: 0; }
.verdict dt { min-width: 56px; font-size: var(--size-small); font-weight: 400; color: var(--muted); }
.verdict dd { margin: 0; max-width: 84ch; font-size: var(--size-text); overflow-wrap: anywhere; }
.verdict dd b { font-weight: 600; }
.verdict .ranking { border-left: 1px solid var(--line); padding: 6px 10px 4px 12px; min-width: 0;
  font-size: var(--size-small); line-height: 18px; }
.verdict .rows { display: grid; column-gap: 10px;
  grid-template-columns: minmax(0, max-content) max-content minmax(86px, 1fr) max-content max-content; }
.verdict .rows.apart { grid-template-columns: minmax(0, 1fr) max-content max-content max-content; }
.verdict .rows.against { grid-template-columns: minmax(0, 1fr) repeat(4, max-content); }
.verdict .rows.against :is(.bar, .barhead), .verdict .rows.against + .note:has(+ .note) { display: none; }
.verdict span.against { text-align: right; white-space: nowrap; color: var(--muted); }
.verdict span.against.better { color: var(--good); }
.verdict span.against.worse { color: var(--bad); }
.verdict .row { display: grid; grid-template-columns: subgrid; grid-column: 1 / -1; align-items: center; height: 24px;
  padding: 0 4px; border-top: 1px solid var(--grid); }
.verdict .row.head { height: 19px; border-top: 0; color: var(--muted); font-size: var(--size-caption);
  line-height: 16px; white-space: nowrap; }
.verdict .barhead { overflow: hidden; text-overflow: ellipsis; }
.verdict .row.head + .row { border-top-color: var(--line); }
.verdict .row:not(.head) { cursor: pointer; }
.verdict .row:not(.head):hover { background: var(--hover); }
html[data-run-held] .verdict .row[data-run]:hover { box-shadow: inset 2px 0 0 var(--accent); }
.verdict .name { display: flex; align-items: center; min-width: 0; white-space: nowrap; }
.verdict .name .run-mark { margin-right: 8px; }
.verdict .name span { overflow: hidden; text-overflow: ellipsis; white-space: pre; }
.verdict .name .shared { flex: 0 1 auto; min-width: 12px; color: var(--muted); }
.verdict .name .own { flex: 0 1 auto; min-width: 0; }
.verdict .name .shared + .own { flex-shrink: 0; max-width: calc(100% - 30px); }
.verdict .name .own.long { flex-shrink: 1; min-width: 30px; }
.verdict .name .own.long + .own { flex-shrink: 0; }
.verdict .first .own, .verdict .first .value { font-weight: 600; }
.verdict .value, .verdict .gap { text-align: right; white-space: nowrap; }
.verdict .gap, .verdict .mark { color: var(--muted); }
.verdict .gap.wide { color: var(--warn); font-weight: 600; }
.verdict .first .mark, .verdict .mark.level { color: var(--text); }
.verdict .mark, .verdict .metric { font-size: var(--size-caption); white-space: nowrap; }
.verdict .mark { min-width: 46px; }
.verdict .bar { position: relative; height: 18px; margin: 0 5px; border-left: 1px solid var(--control); }
.verdict .bar i { position: absolute; left: 0; }
.verdict .bar .noise { top: 0; height: 18px; min-width: 1px; background: var(--noise); }
.verdict .bar .stem { top: 8px; height: 2px; }
.verdict .bar .run-mark { top: 5px; width: 8px; height: 8px; margin-left: -4px; }
.verdict .note { margin: 0; padding: 4px 4px 0; font-size: var(--size-caption); line-height: 16px;
  color: var(--muted); }
.verdict-more { display: flex; flex-wrap: wrap; align-items: center; min-height: 30px; padding: 2px 8px;
  border-top: 1px solid var(--line); }
.verdict-more button, .st-key-verdict_by button { height: 26px; min-height: 26px; padding: 0 8px; border: 0;
  border-radius: 6px; background: none; color: var(--text); font: inherit; font-size: var(--size-small);
  line-height: 18px; cursor: pointer; white-space: nowrap; }
.verdict-more button:hover, .st-key-verdict_by button:hover { background: var(--hover); color: var(--text); }
.verdict-more button:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
.verdict-more button::after { content: ""; display: inline-block; width: 5px; height: 5px; margin: 0 2px 3px 7px;
  border: solid var(--muted); border-width: 0 1.5px 1.5px 0; transform: rotate(45deg); }
.verdict-part { inset: auto; margin: 4px 0; padding: 10px 14px; width: max-content; max-width: min(640px, 94vw);
  max-height: 60vh; overflow: auto; border: 1px solid var(--control); border-radius: 8px; background: var(--ground);
  color: var(--text); font-size: var(--size-small); line-height: 19px; box-shadow: 0 4px 16px #0003;
  position-area: bottom span-right; position-try-fallbacks: flip-inline, flip-block; }
@supports not (position-area: bottom) { .verdict-part { inset: 0; margin: auto; height: max-content; } }
.verdict-part :is(p, ol, ul) { margin: 0 0 6px; padding: 0; font-size: inherit; overflow-wrap: anywhere; }
.verdict-part :is(ol, ul) { padding-left: 20px; }
.verdict-part li { margin: 0; padding: 0; font-size: inherit; }
.verdict-part table { border-collapse: collapse; margin-bottom: 6px; font-variant-numeric: tabular-nums; }
.verdict-part :is(th, td) { padding: 2px 12px 2px 0; border: 0; border-top: 1px solid var(--grid); text-align: left;
  font-size: inherit; vertical-align: top; }
.verdict-part td:first-child { min-width: 7ch; }
.verdict-part th { font-weight: 400; color: var(--muted); }
.st-key-verdict .to-chart { display: inline; padding: 0; border: 0; background: none; color: var(--info); font: inherit;
  text-decoration: underline; cursor: pointer; white-space: nowrap; }
.verdict-part .muted { color: var(--muted); }
.st-key-verdict_foot { position: absolute; right: 8px; bottom: 2px; width: auto; align-items: center; }
.st-key-verdict_by button p { font-size: var(--size-small); line-height: 18px; }
.st-key-verdict_offer { position: absolute; left: calc(100% - 452px); bottom: 33px; width: auto; }
.st-key-verdict .st-key-verdict_offer button { min-height: 20px; height: 20px; padding: 0 4px; border: 0; }
.st-key-verdict .st-key-verdict_offer button p { font-size: var(--size-caption); line-height: 16px; white-space: nowrap;
  overflow: hidden; text-overflow: ellipsis; max-width: 440px; }
.st-key-verdict:has(.st-key-verdict_offer) .ranking { padding-bottom: 18px; }
.st-key-verdict:has(.st-key-verdict_offer) .row { height: 23px; }
.st-key-verdict:has(.st-key-verdict_offer) .row.head { height: 17px; }
.st-key-verdict_alike button { min-height: 26px; height: 26px; padding: 0 10px; }
.st-key-verdict_alike button p { font-size: var(--size-small); line-height: 18px; }
/* Where the buttons of both sides have no room beside each other, those of the right have a line of their own. */
@media (min-width: 601px) and (max-width: 1100px) { .verdict-more:not(:empty) { padding-bottom: 32px; } }
@media (min-width: 601px) and (max-width: 1699px) {
  .st-key-verdict:has(.st-key-not_ended) .verdict-more:not(:empty) { padding-bottom: 32px; }
}
@media (min-width: 1101px) and (max-width: 1699px) {
  .verdict h2 span { white-space: nowrap; }
  .verdict dd { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: var(--lines);
    overflow: hidden; }
  .verdict dd[tabindex] { cursor: pointer; }
  .verdict dd[data-whole] { display: block; }
}
@media (min-width: 1700px) {
  .st-key-verdict .verdict { grid-template-columns: minmax(0, 1fr) 600px; }
  .verdict .rows.against:not(.apart) { grid-template-columns: minmax(0, max-content) max-content minmax(60px, 1fr)
    repeat(3, max-content); }
  .verdict .rows.against .barhead { display: inline; }
  .verdict .rows.against .bar, .verdict .rows.against + .note:has(+ .note) { display: block; }
  .st-key-verdict_offer { left: calc(100% - 588px); }
}
@media (max-width: 1100px) {
  .st-key-verdict .verdict { grid-template-columns: minmax(0, 1fr); }
  .st-key-verdict_offer { left: 12px; }
  .verdict .ranking { border-left: 0; border-top: 1px solid var(--line); }
}
@media (max-width: 600px) {
  .verdict .says { padding: 10px 12px 6px; }
  .verdict dl { grid-template-columns: minmax(0, 1fr); row-gap: 0; }
  .verdict dd { margin-bottom: 5px; }
  .verdict .rows { grid-template-columns: minmax(0, 1fr) max-content max-content max-content; }
  .verdict .row { height: auto; min-height: 30px; }
  .verdict .row .bar, .verdict .row .barhead, .verdict .rows:not(.apart) + .note { display: none; }
  .verdict .rows.against { grid-template-columns: minmax(0, 1fr) repeat(3, max-content); }
  .verdict .rows.against + .note:not(:has(+ .note)) { display: block; }
  .verdict .row:not(.head) span.against { grid-column: 1 / -1; grid-row: 2; padding-left: 18px; text-align: left; }
  .verdict .row.head span.against { display: none; }
  .verdict .name { display: block; position: relative; padding-left: 18px; white-space: normal; }
  .verdict .name .run-mark { position: absolute; left: 0; top: calc(50% - 5px); }
  .verdict .name span { white-space: pre-wrap; overflow-wrap: anywhere; }
  .verdict-more:empty { display: none; }
  .verdict-more button { min-height: 36px; }
  .verdict-part td:first-child { min-width: 16ch; }
  .verdict-part td:nth-child(n + 3):last-child { min-width: 24ch; }
  .st-key-verdict_foot, .st-key-verdict_offer { position: static; padding: 0 8px 4px; }
}
@media (max-width: 600px) {
  /* Of what the panel holds the ranking stands below the curves: everything is an item of the page's own column. */
  .st-key-compare > :has(> .st-key-above), .st-key-above, .st-key-above > :has(> .st-key-verdict), .st-key-verdict,
    .st-key-verdict > :has(.verdict), .st-key-verdict .stHtml, .st-key-verdict .verdict { display: contents; }
  .st-key-compare > :has(> .st-key-curves), .st-key-curves { order: 1; }
  .verdict .ranking, .st-key-verdict > :has(> .st-key-verdict_offer), .st-key-verdict_offer { order: 2; }
  .st-key-compare > :has(> .st-key-table), .st-key-table { order: 3; }
  .st-key-compare > :has(> .st-key-health), .st-key-health { order: 4; }
  .st-key-compare { gap: 10px; }
  .verdict .row { padding-block: 3px; }
  .verdict .says, .verdict .ranking { width: 100%; border: 1px solid var(--line); border-radius: 8px;
    color: var(--text); font-variant-numeric: tabular-nums; }
  .verdict .says { border-bottom: 0; border-radius: 8px 8px 0 0; font-size: var(--size-text); line-height: 19px; }
  .st-key-verdict > :has(> .st-key-verdict_offer) { margin-top: -8px; }
  .verdict-more, .st-key-verdict > :has(> .st-key-verdict_foot) {
    margin-top: -10px; border: solid var(--line); border-width: 0 1px; }
  .verdict-more { border-top-width: 1px; }
  .st-key-verdict > :has(> .st-key-verdict_foot) { border-bottom-width: 1px; border-radius: 0 0 8px 8px; }
}
@media print { .verdict-more, .st-key-verdict_foot { display: none; } }
</style>"""
