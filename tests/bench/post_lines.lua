-- wrk: POST the lines of the file that is given after --, one after the other, as JSON.
local requests, sent = {}, 0

function init(arguments)
  wrk.method = 'POST'
  wrk.headers['Content-Type'] = 'application/json'
  for line in io.lines(arguments[1]) do
    requests[#requests + 1] = wrk.format(nil, nil, nil, line)
  end
end

function request()
  sent = sent + 1
  return requests[sent] -- past the last one wrk stops with an error
end
