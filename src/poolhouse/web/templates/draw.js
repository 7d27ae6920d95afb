// Draws the page's figures: each element with data-figure takes the figure of that name.
(function () {
  "use strict";
  var figures = JSON.parse(document.getElementById("figures").textContent);
  var narrow = window.matchMedia("(max-width: 640px)");

  function fitted(layout) {
    var fit = Object.assign({}, layout);
    if (narrow.matches) {
      fit.font = Object.assign({}, layout.font, { size: 11 });
      fit.legend = Object.assign({}, layout.legend, { font: { size: 11 } });
      fit.xaxis = Object.assign({}, layout.xaxis, { nticks: 4 });
      fit.margin = Object.assign({}, layout.margin, { r: 6 });
    }
    return fit;
  }

  function draw(place) {
    var figure = figures[place.dataset.figure];
    var options = { displayModeBar: false, responsive: true, scrollZoom: false };
    return Plotly.newPlot(place, figure.data, fitted(figure.layout), options);
  }

  var places = Array.prototype.slice.call(document.querySelectorAll("[data-figure]"));
  Promise.all(places.map(draw)).then(function () {
    document.documentElement.dataset.drawn = String(places.length);
  });
  narrow.addEventListener("change", function () { places.forEach(draw); });
})();
