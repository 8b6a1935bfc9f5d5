/** The report's style sheet: system fonts, two colour schemes, nothing fetched. */
export const reportStyle = `
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --ink: #1b2330; --soft: #5a6575; --rule: #e3e7ed; --grid: #e9ecf1;
  --late: #1f6feb; --risk: #c2570c; --plain: #7b8494; --bar: #c9d3e2; --good: #1a7f4b; --bad: #c62f3b;
  --good-soft: #e3f4ea; --bad-soft: #fde8ea;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #10151d; --card: #18202b; --ink: #e6ebf2; --soft: #9aa7b8; --rule: #2a3442; --grid: #263040;
    --late: #6ea8ff; --risk: #f5a15d; --plain: #8d99ab; --bar: #3b4a60; --good: #57c98a; --bad: #ff7f88;
    --good-soft: #17362a; --bad-soft: #43222a;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink); font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
main { max-width: 1180px; margin: 0 auto; padding: 40px 24px 64px; }
h1 { font-size: 30px; line-height: 1.2; margin: 0 0 6px; letter-spacing: -0.01em; }
h2 { font-size: 17px; margin: 0 0 2px; }
p { margin: 0 0 10px; }
.lead, .note { color: var(--soft); }
.lead { max-width: 76ch; margin-bottom: 26px; }
.note { font-size: 13px; margin: 0 0 14px; }
section { background: var(--card); border: 1px solid var(--rule); border-radius: 12px; padding: 22px 24px; margin-top: 18px; }
.two { display: grid; grid-template-columns: 1fr 1fr; gap: 18px; margin-top: 18px; }
.two section { margin-top: 0; min-width: 0; }
@media (max-width: 900px) { .two { grid-template-columns: 1fr; } }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(165px, 1fr)); gap: 14px; margin: 0; }
.tile { background: var(--card); border: 1px solid var(--rule); border-radius: 12px; padding: 16px 18px; }
.tile dt { color: var(--soft); font-size: 13px; }
.tile dd { margin: 0; }
.tile .figure { font-size: 27px; font-weight: 650; line-height: 1.25; letter-spacing: -0.01em; font-variant-numeric: tabular-nums; }
.tile .beside { color: var(--soft); font-size: 13px; }
svg { display: block; width: 100%; height: auto; overflow: visible; font: 12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
svg .tick { fill: var(--soft); font-variant-numeric: tabular-nums; }
svg .axis { fill: var(--soft); }
svg .grid { stroke: var(--grid); }
svg .base { stroke: var(--plain); }
svg .ideal { stroke: var(--plain); stroke-dasharray: 4 5; }
svg .line { fill: none; stroke-width: 2.2; stroke-linejoin: round; stroke-linecap: round; }
svg .line.late { stroke: var(--late); } svg .line.risk { stroke: var(--risk); }
svg .line.plain { stroke: var(--plain); stroke-width: 1.8; stroke-dasharray: 1 5; }
svg .dot, svg .bubble { stroke: var(--card); stroke-width: 1.2; }
svg .dot.late, svg .bubble.late { fill: var(--late); } svg .dot.risk { fill: var(--risk); } svg .dot.plain { fill: var(--plain); }
svg .label { font-weight: 600; } svg .label.late { fill: var(--late); } svg .label.risk { fill: var(--risk); } svg .label.plain { fill: var(--plain); }
svg .bar { fill: var(--bar); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 14px; }
th, td { padding: 6px 10px; text-align: right; border-bottom: 1px solid var(--rule); white-space: nowrap; }
thead th { color: var(--soft); font-weight: 500; font-size: 13px; vertical-align: bottom; }
tbody tr:last-child > * { border-bottom: 0; }
th:first-child, td:first-child { padding-left: 0; } th:last-child, td:last-child { padding-right: 0; }
th[scope=row], .word { text-align: left; font-weight: 500; }
.word { color: var(--soft); }
.group { text-align: center; border-bottom: 1px solid var(--rule); }
.best { color: var(--late); font-weight: 650; }
.mark { display: inline-block; border-radius: 99px; padding: 1px 10px; font-size: 13px; font-weight: 600; }
.mark.good { color: var(--good); background: var(--good-soft); } .mark.bad { color: var(--bad); background: var(--bad-soft); }
.key { display: inline-block; width: 10px; height: 10px; border-radius: 3px; background: var(--bar); }
.key.late { border-radius: 50%; background: var(--late); }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: 4px 22px; margin: 10px 0 0; }
.facts dt { color: var(--soft); } .facts dd { margin: 0; }
.empty { color: var(--soft); }
`;
