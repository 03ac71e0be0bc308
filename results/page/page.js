'use strict';
(() => {
  const $ = (selector, of = document) => of.querySelector(selector);
  const $$ = (selector, of = document) => [...of.querySelectorAll(selector)];

  // Keys: from case to case, past those that the filter hides.
  const keys = $('#keys'), help = $('#help');
  const heads = () => $$('.case > h3').filter(h => h.checkVisibility());
  const go = step => {
    const all = heads();
    const at = all.findIndex(h => h.parentNode.contains(document.activeElement));
    const to = all[at < 0 ? (step > 0 ? 0 : all.length - 1) : at + step];
    if (to) {
      to.focus();
      to.scrollIntoView({block: 'start'});
    }
  };
  help.hidden = false;
  help.addEventListener('click', () => keys.showModal());
  document.addEventListener('keydown', e => {
    if (e.ctrlKey || e.altKey || e.metaKey || keys.open || e.target.closest('select, input, textarea')) return;
    if (e.key === '?') keys.showModal();
    else if (!$('#single').checked) return;
    else if (e.key === 'j') go(1);
    else if (e.key === 'k') go(-1);
    else if (e.key === 'g') scrollTo(0, 0);
    else if (e.key === 'Enter' && e.target.matches('.case > h3')) {
      const boot = $('details.boot', e.target.parentNode);
      boot.open = !boot.open;
    } else return;
    e.preventDefault();
  });

  // Who follows a link to a case wants to see it.
  const follow = () => {
    const at = location.hash.startsWith('#case-') && $(location.hash);
    if (!at) return;
    $('details.boot', at).open = true;
    $('h3', at).focus();
  };
  addEventListener('hashchange', follow);
  follow();

  // Another boot to compare a chain with. The page has the table already; this
  // makes the same for another one: see compared() in chain.go.
  const chains = JSON.parse($('#chains').textContent);
  const make = (name, props = {}, ...children) => {
    const el = Object.assign(document.createElement(name), props);
    el.append(...children);
    return el;
  };
  const compared = (ours, others) => {
    const rows = [];
    let next = 0;
    const skip = to => {
      for (; next < to; next++) {
        if (!ours.some(l => l[0] === others[next][0])) rows.push([null, others[next]]);
      }
    };
    for (const link of ours) {
      const at = others.findIndex(l => l[0] === link[0]);
      if (at >= 0) {
        skip(at);
        next = Math.max(next, at + 1);
      }
      rows.push([link, at < 0 ? null : others[at]]);
    }
    skip(others.length);
    return rows;
  };
  const seconds = ns => (ns / 1e9).toFixed(3);
  const took = l => l[2] - l[1];
  const signed = ns => (ns < 0 ? '-' : '+') + seconds(Math.abs(ns));
  const bar = (l, y, most) => `M0 ${y}h${l && most > 0 ? Number((100 * took(l) / most).toFixed(1)) : 0}v4H0z`;
  const show = (details, other) => {
    const ours = chains[details.dataset.case] || [], others = chains[other];
    const most = Math.max(0, ...ours.map(took), ...others.map(took));
    const body = $('tbody', details), sample = $('.bars', body);
    const rows = compared(ours, others).map(([a, b]) => {
      const bars = sample.cloneNode(true);
      $('.this', bars).setAttribute('d', bar(a, 1, most));
      $('.that', bars).setAttribute('d', bar(b, 7, most));
      const unit = make('th', {scope: 'row'}, (a || b)[0]);
      if (!a || !b) unit.append(' ', make('small', {}, b ? 'only in the other' : 'only in this boot'));
      const cells = [a && seconds(a[2]), a && seconds(took(a)), b && seconds(b[2]), b && seconds(took(b)), a && b && signed(a[2] - b[2]), a && b && signed(took(a) - took(b))];
      const row = make('tr', {}, unit, ...cells.map(c => make('td', {className: 'n'}, c || '')), make('td', {}, bars));
      if (!a || !b) row.className = 'only';
      return row;
    });
    body.replaceChildren(...rows);
    $('.other', details).textContent = `Beside it: ${other}.`;
  };
  const choose = details => {
    const names = Object.keys(chains).filter(n => n !== details.dataset.case);
    if (!names.length) return;
    const pick = $('.pick', details), select = $('select', pick);
    select.append(make('option', {value: '', textContent: 'as the page came'}), ...names.map(n => make('option', {value: n, textContent: n})));
    const body = $('tbody', details), beside = $('.other', details);
    const rows = [...body.children], text = beside.textContent;
    select.addEventListener('change', () => {
      if (select.value) return show(details, select.value);
      body.replaceChildren(...rows);
      beside.textContent = text;
    });
    pick.hidden = false;
  };
  for (const details of $$('.chain')) details.addEventListener('toggle', () => choose(details), {once: true});
})();
