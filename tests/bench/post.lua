-- wrk: POST the body that is given after --, as JSON.
function init(arguments)
  wrk.method = 'POST'
  wrk.headers['Content-Type'] = 'application/json'
  wrk.body = arguments[1]
  request_text = wrk.format()
end

function request()
  return request_text
end
